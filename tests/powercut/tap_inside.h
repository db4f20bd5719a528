#pragma once
/* tap_inside - what tap.c and tap_calls.c share. All but the lock itself is to be touched under it. */
#include "tap.h"

#include <limits.h>
#include <pthread.h>
#include <stddef.h>

enum { FDS_MAX = 1024 };

struct tap_fd {
	bool is_file, is_folder;
	uint32_t inode;
	uint16_t folder;
};

struct tap {
	pthread_mutex_t lock;
	char folder[PATH_MAX];
	size_t folder_len; /* 0: off */
	struct journal *journal;
	enum tap_deaf deaf;
	struct tap_fd fds[FDS_MAX];
	uint32_t inode_of[JOURNAL_NAMES_MAX]; /* by name; NO_INODE */
	struct tap_fault fault;
	unsigned calls[TAP_CALLS], n_faults;
	char fault_at[64]; /* the name of the file of the first one */
	bool clock_set;
	int64_t boot_ms, wall_us;
};
extern struct tap tap;

void tap_lock(void);
void tap_unlock(void); /* errno stays */
/* The path below the folder; NULL: none of ours. */
const char *tap_name(const char *path);
const char *tap_name_at(int dirfd, const char *path, char buf[JOURNAL_NAME_MAX]);
const char *tap_fd_name(const struct tap_fd *file);
const struct tap_fd *tap_file(int fd); /* NULL: none of ours */
int tap_fault_due(enum tap_call call, const char *name); /* counts the call; what to do instead of it: 0 nothing, an errno, TAP_SHORT */
bool tap_refuse(int fault);            /* sets errno */
uint32_t *tap_inode(const char *name); /* which it is at present */
void tap_note_names(enum op_kind kind, uint32_t inode, const char *name, const char *to);
void tap_note_data(uint32_t inode, uint64_t offset, const void *data, size_t len);
void tap_note_length(uint32_t inode, uint64_t length);
void tap_note_open(int fd, const char *name, int flags, bool existed);
