#pragma once
/* report - how a verdict is told, to people and as JSON, and with which exit code.
 *
 *   above   main
 *   below   base/base  base/text  sys/json  verify/proof  verify/walk
 *   owns    nothing
 *   limits  -
 *   errors  -
 */
#include <stdio.h>
#include "base/base.h"
#include "verify/proof.h"
#include "verify/walk.h"

enum { EXIT_HOLDS = 0, EXIT_TAMPERED = 1, EXIT_OPEN = 2 };
/* Both return the exit code. */
int report_walk(FILE *out, bool json, const struct walk_given *given, const struct walk_verdict *verdict);
int report_proof(FILE *out, bool json, const struct proof_verdict *verdict);
