/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pam_test_module.c - a PAM module that behaves as the user's name says: badly, mostly.
 *
 * shell_authd_pam.c builds it and names it in a service file with a directory as argument; there it
 * leaves a file with the name of each user it was asked about.
 */
#include <fcntl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ask(pam_handle_t *h, int style, const char *text, char **ret)
{
	return pam_prompt(h, style, ret, "%s", text);
}

static int ask_is(pam_handle_t *h, int style, const char *text, const char *want)
{
	char *got = NULL;
	int rc = ask(h, style, text, &got);

	if (rc == PAM_SUCCESS && (!got || strcmp(got, want) != 0))
		rc = PAM_AUTH_ERR;
	free(got);
	return rc;
}

static int item_is(pam_handle_t *h, int item, const char *want)
{
	const void *got = NULL;

	return pam_get_item(h, item, &got) == PAM_SUCCESS && got && strcmp(got, want) == 0
		       ? PAM_SUCCESS
		       : PAM_AUTH_ERR;
}

static void note(const char *dir, const char *user)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/asked-%s", dir, user);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0)
		close(fd);
}

static void stay_behind(void)
{
	if (fork() == 0)
		for (;;)
			pause();
}

static int misbehave(const char *user)
{
	if (strncmp(user, "hang", 4) == 0) {
		stay_behind();
		for (;;)
			pause();
	}
	if (strcmp(user, "crash") == 0)
		abort();
	if (strcmp(user, "exit") == 0)
		exit(3);
	if (strcmp(user, "closer") == 0)
		for (int fd = 0; fd < 64; fd++)
			close(fd);
	if (strcmp(user, "noisy") == 0)
		for (int i = 0; i < 100; i++)
			printf("noise %d\n", i);
	if (strcmp(user, "forker") == 0)
		stay_behind();
	if (strcmp(user, "slow") == 0)
		usleep(300000);
	return PAM_SUCCESS;
}

static int more_steps(pam_handle_t *h, const char *user)
{
	if (strcmp(user, "twice") == 0)
		return ask_is(h, PAM_PROMPT_ECHO_OFF, "LDAP Password: ", "right");
	if (strncmp(user, "otp", 3) == 0)
		return ask_is(h, PAM_PROMPT_ECHO_OFF, "One-time password: ", "271828");
	if (strcmp(user, "question") == 0)
		return ask_is(h, PAM_PROMPT_ECHO_ON, "Favourite\ncolour: ", "blue");
	if (strcmp(user, "pin") == 0) {
		(void)pam_error(h, "%s", "Your PIN has expired.\033[2J");
		(void)pam_info(h, "%s", "Four digits.");
		return ask_is(h, PAM_PROMPT_ECHO_OFF, "Enter a new PIN: ", "1234") == PAM_SUCCESS
			       ? ask_is(h, PAM_PROMPT_ECHO_ON, "Keep it? ", "")
			       : PAM_AUTH_ERR;
	}
	if (strcmp(user, "curious") == 0)
		while (ask_is(h, PAM_PROMPT_ECHO_ON, "Why? ", "y") == PAM_SUCCESS)
			;
	if (strcmp(user, "curious") == 0)
		return PAM_AUTH_ERR;
	if (strcmp(user, "dies") == 0 &&
	    ask_is(h, PAM_PROMPT_ECHO_ON, "Now? ", "yes") == PAM_SUCCESS)
		abort();
	if (strcmp(user, "toroot") == 0)
		return pam_set_item(h, PAM_USER, "root");
	if (strcmp(user, "canonical") == 0)
		return pam_set_item(h, PAM_USER, "good");
	if (strcmp(user, "broken") == 0)
		return PAM_AUTHINFO_UNAVAIL;
	if (strcmp(user, "items") == 0 && item_is(h, PAM_RHOST, "192.0.2.77") == PAM_SUCCESS)
		return item_is(h, PAM_TTY, "vpngw");
	return strcmp(user, "items") == 0 ? PAM_AUTH_ERR : PAM_SUCCESS;
}

int pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv)
{
	const char *user = "?";
	int rc;

	(void)flags;
	if (pam_get_user(h, &user, NULL) != PAM_SUCCESS)
		return PAM_USER_UNKNOWN;
	if (argc > 0)
		note(argv[0], user);
	misbehave(user);
	(void)pam_fail_delay(h, 5000000);
	if (strcmp(user, "polite") == 0) {
		rc = ask_is(h, PAM_PROMPT_ECHO_ON, "login: ", "polite");
		if (rc != PAM_SUCCESS)
			return rc;
	}
	(void)pam_info(h, "%s", "\033[2Jbeware");
	rc = ask_is(h, PAM_PROMPT_ECHO_OFF, "Secret: ", "right");
	return rc == PAM_SUCCESS ? more_steps(h, user) : rc;
}

int pam_sm_setcred(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)h;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

int pam_sm_acct_mgmt(pam_handle_t *h, int flags, int argc, const char **argv)
{
	const char *user = "?";

	(void)flags;
	(void)argc;
	(void)argv;
	if (pam_get_user(h, &user, NULL) != PAM_SUCCESS)
		return PAM_USER_UNKNOWN;
	if (strcmp(user, "expired") == 0)
		return PAM_NEW_AUTHTOK_REQD;
	if (strcmp(user, "gone") == 0)
		return PAM_ACCT_EXPIRED;
	return PAM_SUCCESS;
}
