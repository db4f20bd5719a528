/* A process that writes the sealed log is killed, again and again, while it makes checkpoints, seeds and files: what it was
 * told is on record is there, the next start finds nothing wrong with it, and the whole verifies with the last seed.
 */
#include "audit_home.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/inside.h"
#include "sys/db_keys.h"

enum { DEATHS = 40 };

struct told {
	uint64_t done;
	uint64_t seed_seq;
	uint8_t seed[AUDIT_SEED_LEN];
};

/* One word to the parent: a record is kept, or a seed was given. */
struct word {
	uint64_t seed_seq; /* 0: a record */
	uint8_t seed[AUDIT_SEED_LEN];
};

struct child {
	int fd;
	bool seeding;
};

static void say(const struct child *child, const struct word *word)
{
	if (write(child->fd, word, sizeof(*word)) != sizeof(*word))
		_exit(5);
}

static void on_done(void *ctx, int r)
{
	if (r == 0)
		say(ctx, &(struct word){ .seed_seq = 0 });
}

static void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	struct child *child = ctx;
	struct word word = { .seed_seq = seq };

	child->seeding = false;
	if (r)
		return;
	memcpy(word.seed, seed, sizeof(word.seed));
	say(child, &word);
}

static void child_writes(struct audit_home *home, int fd)
{
	struct audit_record record = audit_home_record("x"), seed = { .subject.kind = SUBJECT_SYSTEM };
	struct child child = { .fd = fd };

	audit_home_open(home);
	if (audit_fault(home->audit))
		_exit(6);
	for (unsigned i = 0;; i++) {
		if (audit_append(home->audit, &record, on_done, &child))
			_exit(4);
		if (i % 7 == 0 && audit_checkpoint_now(home->audit, NULL, NULL))
			_exit(4);
		if (i % 40 == 11 && !child.seeding) {
			child.seeding = true;
			if (audit_seed(home->audit, &seed, on_seed, &child))
				_exit(4);
		}
		if (i % 100 == 50) { /* a new file is due */
			home->audit->segment_bytes = UINT64_MAX / 2;
			loop_advance(home->loop, AUDIT_WINDOW_MS);
		}
		if (loop_turn(home->loop, 0))
			_exit(4);
		if (store_queued(home->store) > 5)
			store_drain(home->store);
	}
}

static void one_life(struct audit_home *home, struct told *told, unsigned round)
{
	struct word word;
	int fds[2], status;
	uint64_t heard = 0;

	check_ok(pipe(fds));
	pid_t pid = fork();

	if (pid == 0) {
		close(fds[0]);
		child_writes(home, fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &word, sizeof(word)) == sizeof(word)) {
		if (word.seed_seq) {
			told->seed_seq = word.seed_seq;
			memcpy(told->seed, word.seed, sizeof(told->seed));
		} else {
			told->done++;
			heard++;
		}
		if (heard == round * 7 % 60 + 1)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	check_int(waitpid(pid, &status, 0), pid);
	check_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* and not because something was wrong */
}

struct heard {
	bool called;
	int r;
	struct audit_verdict verdict;
};

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	*(struct heard *)ctx = (struct heard){ true, r, *verdict };
}

static void check_log(struct audit_home *home, const struct told *told)
{
	struct audit_check check = { .seed_seq = told->seed_seq, .seed = told->seed };
	struct heard heard = { .called = false };

	check_true(audit_fault(home->audit) == NULL);
	check_true(audit_head(home->audit).seq > told->done);
	check_ok(audit_verify_with(home->audit, &check, on_verdict, &heard));
	for (int i = 0; i < 2000 && !heard.called; i++) {
		store_drain(home->store);
		check_ok(loop_turn(home->loop, 5));
	}
	if (heard.r != AUDIT_E_NO_ANCHOR)
		print_error("%d: %s, first bad %" PRIu64 "\n", heard.r, heard.verdict.what, heard.verdict.first_bad);
	check_int(heard.r, AUDIT_E_NO_ANCHOR); /* all holds; nobody outside was asked */
}

static void killed_anywhere_the_next_start_finds_nothing_wrong(void **state)
{
	struct audit_home home;
	struct db_keys *pages;
	struct told told = { .done = 0 };
	uint8_t key[SEAL_KEY_LEN] = { 3 };

	(void)state;
	audit_home_make(&home);
	check_ok(db_keys_new(&pages));
	check_ok(db_keys_put(pages, 1, SEAL_XCHACHA, key));
	check_ok(db_keys_activate(pages, 1));
	home.seal.pages = pages;
	for (unsigned round = 0; round < DEATHS; round++) {
		one_life(&home, &told, round);
		if (round % 10 != 9)
			continue;
		audit_home_open(&home);
		check_log(&home, &told);
		home.audit->is_open = false; /* no checkpoint at the end: the next life finds what a death leaves */
		audit_home_close(&home);
	}
	check_true(told.done > DEATHS && told.seed_seq);
	audit_home_keys_free(&home);
	db_keys_free(pages);
	tmpdir_deinit(&home.dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(killed_anywhere_the_next_start_finds_nothing_wrong),
	};

	return CHECK_RUN(rows);
}
