#pragma once
/* plain - text from elsewhere, made fit for a terminal: what would move the cursor or turn the line round is shown, not done.
 *
 *   above   ctl/grid
 *   below   base/base  base/text
 *   owns    nothing
 *   limits  -
 */
#include <stdio.h>
#include "base/base.h"

/* Control characters (C0, C1, DEL) and those that change the direction of writing become \xNN or \u{NNNN}. *ret is malloc'ed. */
must_check int plain_escape(const char *text, char **ret);
unsigned plain_width(const char *text); /* columns of an escaped text: wide characters are two, combining ones none */
void plain_put(FILE *out, const char *text); /* escaped; NULL is "-" */
