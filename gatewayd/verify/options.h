#pragma once
/* options - what the command line asks for: an export or a proof, and what is known from outside of the gateway.
 *
 *   above   verify/main
 *   below   base/base  base/text  sys/host  sys/sign  verify/walk
 *   owns    struct options' lists and the auditor's key
 *   limits  OPTIONS_KEYS_MAX OPTIONS_ANCHORS_MAX OPTIONS_SEEDS_MAX
 *   errors  OPTIONS_E_USAGE
 *
 * A public key, an anchor and a seed each is given as it is, or by the name of a file that holds one a line.
 */
#include "base/base.h"
#include "sys/sign.h"
#include "verify/walk.h"

enum { OPTIONS_KEYS_MAX = 64, OPTIONS_ANCHORS_MAX = 1024, OPTIONS_SEEDS_MAX = 64 };
enum { OPTIONS_E_USAGE = 1 };

struct options {
	const char *path;  /* of an export; NULL: none */
	const char *proof; /* of a proof */
	bool json, help, version;
	struct source_key key;
	struct secret *secret; /* of key */
	struct sign_public keys[OPTIONS_KEYS_MAX];
	struct anchor anchors[OPTIONS_ANCHORS_MAX];
	struct seed seeds[OPTIONS_SEEDS_MAX];
	struct walk_given given;
};
/* why: plain words when it is not 0. ret is to be freed in any case. */
must_check int options_parse(int argc, char **argv, char *why, size_t why_cap, struct options **ret);
struct options *options_free(struct options *options);
DEFINE_CLEANUP(options_free, struct options *)
