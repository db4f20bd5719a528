/* Argon2id is slow and large on purpose. Here is one worker, one job at a time and a short queue; whoever comes when it is
 * full is told so instead of taking memory. An unknown name is checked against a hash that nobody's password has,
 * made at the start with the same cost, so that it takes as long as a known one (clause 6.2.1-c). */
#include <stdlib.h>
#include <string.h>
#include "people/hasher.h"

struct job {
	struct job *next;
	bool verify, nobody;
	struct secret *password;
	char hash[CRYPTO_PASSWORD_HASH_LEN];
	struct crypto_password_cost cost;
	int r;
	hasher_fn fn;
	void *ctx;
	struct hasher *hasher;
};

struct hasher {
	struct loop *loop;
	struct crypto_password_cost cost;
	struct job *first, **last;
	struct job *running;
	size_t n;
	char nobody[CRYPTO_PASSWORD_HASH_LEN];
	bool closed;
};

static void job_free(struct job *job)
{
	secret_free(job->password);
	crypto_wipe(job->hash, sizeof(job->hash));
	free(job);
}

static void hasher_next(struct hasher *hasher);

static void job_work(void *ctx)
{
	struct job *job = ctx;
	struct view password = secret_view(job->password);
	job->r = job->verify ? crypto_password_verify(job->hash, (const char *)password.data, password.len) :
			       crypto_password_hash((const char *)password.data, password.len, job->cost, job->hash);
}

static void job_done(void *ctx, int r)
{
	struct job *job = ctx;
	struct hasher *hasher = job->hasher;

	hasher->running = NULL;
	hasher->n--;
	if (r == 0)
		r = job->r;
	if (job->verify && job->nobody && r == 0)
		r = CRYPTO_E_MISMATCH;
	if (hasher->closed) {
		job_free(job); /* who waited was told when it closed */
		free(hasher);
		return;
	}
	job->fn(job->ctx, r, job->verify || r != 0 ? NULL : job->hash);
	job_free(job);
	hasher_next(hasher);
}

static void hasher_next(struct hasher *hasher)
{
	struct job *job = hasher->first;
	if (!job || hasher->running)
		return;
	hasher->first = job->next;
	if (!hasher->first)
		hasher->last = &hasher->first;
	hasher->running = job;
	/* The hash nobody has may have been made while this one waited. */
	if (job->nobody)
		memcpy(job->hash, hasher->nobody, sizeof(job->hash));
	int r = loop_work(hasher->loop, job_work, job_done, job);
	if (r != 0)
		job_done(job, r);
}

static int hasher_add(struct hasher *hasher, struct job *job, const char *password)
{
	if (hasher->n >= HASHER_QUEUE_MAX) {
		free(job);
		return HASHER_E_BUSY;
	}
	int r = secret_new(password, strlen(password), &job->password);
	if (r != 0) {
		free(job);
		return r;
	}
	job->hasher = hasher;
	job->cost = hasher->cost;
	*hasher->last = job;
	hasher->last = &job->next;
	hasher->n++;
	hasher_next(hasher);
	return 0;
}

int hasher_make(struct hasher *hasher, const char *password, hasher_fn fn, void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->fn = fn;
	job->ctx = ctx;
	return hasher_add(hasher, job, password);
}

int hasher_verify(struct hasher *hasher, const char *hash, const char *password, hasher_fn fn, void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->verify = true;
	job->nobody = !hash;
	if (hash)
		memcpy(job->hash, hash, sizeof(job->hash));
	job->fn = fn;
	job->ctx = ctx;
	return hasher_add(hasher, job, password);
}

static void on_nobody(void *ctx, int r, const char *hash)
{
	struct hasher *hasher = ctx;
	if (r == 0)
		memcpy(hasher->nobody, hash, sizeof(hasher->nobody));
}

int hasher_new(struct loop *loop, struct crypto_password_cost cost, struct hasher **ret)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return -ENOMEM;
	hasher->loop = loop;
	hasher->cost = cost;
	hasher->last = &hasher->first;
	*ret = hasher;
	return 0;
}

int hasher_start(struct hasher *hasher)
{
	char password[2 * 16 + 1];
	uint8_t random[16];
	crypto_random(random, sizeof(random));
	base64url_print(random, sizeof(random), password, sizeof(password));
	return hasher_make(hasher, password, on_nobody, hasher);
}

struct hasher *hasher_close(struct hasher *hasher)
{
	if (!hasher)
		return NULL;
	/* Now, while those who wait are still there; what runs cannot be called back and ends unheard. */
	if (hasher->running)
		hasher->running->fn(hasher->running->ctx, -ECANCELED, NULL);
	while (hasher->first) {
		struct job *job = hasher->first;
		hasher->first = job->next;
		job->fn(job->ctx, -ECANCELED, NULL);
		job_free(job);
	}
	hasher->closed = true;
	if (!hasher->running)
		free(hasher);
	return NULL; /* a running job frees it when it ends */
}
