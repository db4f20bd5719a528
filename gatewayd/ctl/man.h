#pragma once
/* man - the manual page gatewayctl(1) and the list of commands, printed from the command table.
 *
 *   above   main
 *   below   base/base  ctl/command
 *   owns    nothing
 *   limits  -
 */
#include <stdio.h>
#include "base/base.h"

void man_print(FILE *out);   /* mdoc; docs/man/gatewayctl.1 */
void man_help(FILE *out);    /* --help */
