#pragma once
/* source - the bytes of an export, whole pieces at a time: a plain file, a sealed parcel, or memory.
 *
 *   above   verify/walk
 *   below   base/base  sys/box  sys/crypto  sys/stream
 *   owns    struct source
 *   limits  -
 *   errors  SOURCE_E_END SOURCE_E_DAMAGED SOURCE_E_STRANGE SOURCE_E_KEY SOURCE_E_NEWER
 */
#include "base/base.h"
#include "sys/box.h"
#include "sys/crypto.h"

enum {
	SOURCE_E_END = 1,  /* there is less than that */
	SOURCE_E_DAMAGED,  /* a parcel whose bytes are not those that were sealed, or that is cut */
	SOURCE_E_STRANGE,  /* neither an export nor a parcel of one */
	SOURCE_E_KEY,      /* a parcel for somebody else, or no key was given */
	SOURCE_E_NEWER,    /* a parcel of a later version */
};

/* A private key of an auditor; borrowed as long as a source lives. */
struct source_key {
	enum box_kind kind;
	const struct secret *secret; /* NULL: none */
};
struct source;
must_check int source_open(const char *path, const struct source_key *key, struct source **ret);
must_check int source_over(const void *data, size_t len, struct source **ret); /* borrowed; plain */
must_check int source_again(const struct source *source, struct source **ret); /* the same from its beginning */
must_check int source_read(struct source *source, void *ret, size_t len);      /* all or nothing */
must_check int source_end(struct source *source); /* 0: nothing follows, SOURCE_E_END: something does, SOURCE_E_DAMAGED */
struct source *source_free(struct source *source);
