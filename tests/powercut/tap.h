#pragma once
/* tap - stands between this program (SQLite and our own code in it) and the kernel's file calls and clocks.
 *
 * Linked in, it is the program's open, write, fsync, rename ...: all go on to the kernel, and those that concern one folder are
 * written into a journal. It can make any of them fail, forget a kind of sync (to see that the simulator would notice), and hold the clocks.
 * There is one tap in a process, as there is one libc.
 */
#include "journal.h"

enum tap_call {
	TAP_OPEN, TAP_CREATE, TAP_READ, TAP_WRITE, TAP_TRUNCATE, TAP_SYNC, TAP_SYNC_FOLDER, TAP_RENAME, TAP_LINK, TAP_UNLINK, TAP_STAT,
	TAP_CALLS
};
enum { TAP_SHORT = -1 }; /* instead of an error number: half of a write is done */

struct tap_fault {
	enum tap_call call;
	unsigned nth, times; /* from the nth call on (1 is the first), that often; 0 none */
	int error;
};
/* As if the code had not called it. */
enum tap_deaf { TAP_HEARS_ALL, TAP_NO_FOLDER_SYNC, TAP_NO_FILE_SYNC, TAP_NO_SYNC_BEFORE_RENAME };

void tap_start(const char *folder, struct journal *journal, enum tap_deaf deaf); /* journal may be NULL: faults only */
void tap_stop(void);
void tap_fault(const struct tap_fault *fault); /* counts anew; NULL: none */
unsigned tap_calls(enum tap_call call);        /* since the last tap_fault */
const char *tap_fault_at(void);                /* the file of the first of them */
unsigned tap_faults(void);                     /* how many were made to fail since then */
/* Something that was done, asked for, or told; its place in the journal counts. */
void tap_say(unsigned what, int64_t value, int64_t more);
/* From now on all clocks show this and stand still until the next call. */
void tap_set_clock(int64_t boot_ms, int64_t wall_us);
void tap_free_clock(void);
