/* Which file may be loaded: its hash is in a list that nobody else may write, or in the
 * configuration. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "host/trust.h"
#include "sys/crypto.h"
#include "tmpdir.h"

static const char abc[] =
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; /* FIPS 180-4's "abc" */

struct bench {
	struct tmpdir dir;
	int fd;
	char list[256];
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	check_ok(crypto_init());
	tmpdir_init(&b->dir);
	b->fd = open(tmpdir_write(&b->dir, "abc.so", "abc"), O_RDONLY | O_CLOEXEC);
	assert_true(b->fd >= 0);
	snprintf(b->list, sizeof(b->list), "%s", tmpdir_path(&b->dir, "plugins.list"));
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	close(b->fd);
	tmpdir_deinit(&b->dir);
	free(b);
	return 0;
}

static void write_list(struct bench *b, const char *text)
{
	tmpdir_write(&b->dir, "plugins.list", text);
	check_ok(chmod(b->list, 0644));
}

static void the_list(void **state)
{
	struct bench *b = *state;
	char text[256];

	check_int(trust_check_list(b->list, "abc.so", b->fd), TRUST_E_UNLISTED);
	snprintf(text, sizeof(text), "# comment\n%s  abc.so\n", abc);
	write_list(b, text);
	check_ok(trust_check_list(b->list, "abc.so", b->fd));
	check_int(trust_check_list(b->list, "abc", b->fd), TRUST_E_UNLISTED);
	check_int(trust_check_list(b->list, "xabc.so", b->fd), TRUST_E_UNLISTED);
	text[12] = text[12] == '0' ? '1' : '0';
	write_list(b, text);
	check_int(trust_check_list(b->list, "abc.so", b->fd), TRUST_E_CHANGED);
	snprintf(text, sizeof(text), "%s  abc.so\n", abc);
	write_list(b, text);
	check_ok(chmod(b->list, 0664));
	check_int(trust_check_list(b->list, "abc.so", b->fd), TRUST_E_OWNER);
	check_ok(chmod(b->list, 0646));
	check_int(trust_check_list(b->list, "abc.so", b->fd), TRUST_E_OWNER);
}

static void another_users_list_is_no_list(void **state)
{
	struct bench *b = *state;
	char text[256];

	snprintf(text, sizeof(text), "%s  abc.so\n", abc);
	write_list(b, text);
	assert_int_equal(geteuid(), 0); /* as every suite here, this one runs as root */
	check_ok(chown(b->list, 12345, 0));
	check_int(trust_check_list(b->list, "abc.so", b->fd), TRUST_E_OWNER);
}

static void a_list_that_is_too_long(void **state)
{
	struct bench *b = *state;
	char *text = malloc(TRUST_LIST_MAX + 2);

	memset(text, '#', TRUST_LIST_MAX + 1);
	text[TRUST_LIST_MAX + 1] = '\0';
	write_list(b, text);
	check_true(trust_check_list(b->list, "abc.so", b->fd) != 0);
	free(text);
}

static void lines(void **state)
{
	char hash[TRUST_HASH_TEXT_LEN + 1], text[256];

	(void)state;
	check_int(trust_find("", "a", hash), TRUST_E_UNLISTED);
	check_int(trust_find("\n\n# a\n", "a", hash), TRUST_E_UNLISTED);
	check_int(trust_find("abc  a\n", "a", hash), TRUST_E_SYNTAX);
	snprintf(text, sizeof(text), "%s a\n", abc);
	check_int(trust_find(text, "a", hash), TRUST_E_SYNTAX);
	snprintf(text, sizeof(text), "%s  ", abc);
	check_int(trust_find(text, "", hash), TRUST_E_SYNTAX);
	snprintf(text, sizeof(text), "%s  b\n%s  a", abc, abc);
	check_ok(trust_find(text, "a", hash));
	check_text(hash, abc);
}

static void the_configured_hash(void **state)
{
	struct bench *b = *state;
	char other[65];

	check_ok(trust_check_hash(abc, b->fd));
	snprintf(other, sizeof(other), "%s", abc);
	other[63] = 'e';
	check_int(trust_check_hash(other, b->fd), TRUST_E_CHANGED);
	check_int(trust_check_hash("abc", b->fd), TRUST_E_SYNTAX);
	check_int(trust_check_hash("", b->fd), TRUST_E_SYNTAX);
	for (int i = TRUST_E_UNLISTED; i <= TRUST_E_SYNTAX; i++)
		check_true(trust_word(i)[0] != '\0');
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(the_list),
		CASE(another_users_list_is_no_list),
		CASE(a_list_that_is_too_long),
		cmocka_unit_test(lines),
		CASE(the_configured_hash),
	};

	return CHECK_RUN(rows);
}
