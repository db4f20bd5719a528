/* Which passwords may be used: long, or shorter with a mixture; not the user's own name, not one of those that are tried
 * first. No rule about when to change it: that makes worse ones. */
#include <ctype.h>
#include <string.h>
#include "base/text.h"
#include "people/internal.h"

enum { SHORT_LEN_MIN = 8, CLASSES_MIN = 3 };

/* What guessing starts with, longer variants by repetition and counting included in the check below. */
static const char *const tried_first[] = {
	"1234567890", "0123456789", "password", "passwort", "qwertyuiop", "qwertz", "letmein", "iloveyou", "administrator", "raspberry",
	"homeassistant", "smarthome", "changeme", "welcome", "gatewayd", "1q2w3e4r", "abcdefghij", "dragon", "football", "woaini", "5201314",
};

static bool is_run(const char *password)
{
	size_t len = strlen(password), same = 1, step = 1;
	for (size_t i = 1; i < len; i++) {
		same += password[i] == password[i - 1];
		step += password[i] - password[i - 1] == 1;
	}
	return same * 2 > len || step * 4 > len * 3;
}

static bool starts_guessing(const char *password)
{
	size_t len = strlen(password);
	for (size_t i = 0; i < N_ELEMENTS(tried_first); i++) {
		const char *at = strcasestr(password, tried_first[i]);
		/* Such a word with less than half as much around it is still that word. */
		if (at && len - strlen(tried_first[i]) < SHORT_LEN_MIN)
			return true;
	}
	return false;
}

/* What is left of the password without its user's name, however often it stands in it. */
static size_t len_without(const char *password, const char *name)
{
	size_t left = strlen(password), len = strlen(name);
	for (const char *at = password; len && (at = strcasestr(at, name)); at += len)
		left -= len;
	return left;
}

int password_check(const char *name, const char *password)
{
	size_t len = strlen(password);
	bool lower = false, upper = false, digit = false, other = false;

	if (len < SHORT_LEN_MIN || len > PASSWORD_LEN_MAX || !text_is_utf8(password, len))
		return PEOPLE_E_WEAK;
	for (const char *c = password; *c; c++) {
		if (islower((unsigned char)*c))
			lower = true;
		else if (isupper((unsigned char)*c))
			upper = true;
		else if (isdigit((unsigned char)*c))
			digit = true;
		else
			other = true;
	}
	if (len < PASSWORD_LEN_MIN && lower + upper + digit + other < CLASSES_MIN)
		return PEOPLE_E_WEAK;
	if (len_without(password, name) < SHORT_LEN_MIN && strcasestr(password, name))
		return PEOPLE_E_WEAK;
	return is_run(password) || starts_guessing(password) ? PEOPLE_E_WEAK : 0;
}
