/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_pam.c - auth_source = pam (a service of the administrator's) and auth_source = system (the
 * service that vpngw brings along, which asks pam_unix).
 *
 * A client sends a name and a password at first. The password answers the first prompt for a secret,
 * and further ones for a password, as stacked modules have them. Whatever else a module wants to know
 * (a one-time code, a choice) the user is asked, with what the module has said before.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/authd_source.h"
#include "cleanup.h"
#include "text.h"

#define SYSTEM_SERVICE "vpngw-system"
#define SYSTEM_CONFDIR LIBDIR "/pam.d"
#define PROMPTS_MAX    8 /* a module that keeps asking gets no answer */

/* What the conversation knows. */
struct talk {
	const struct authd_asker *asker; /* borrowed; NULL: nobody can be asked */
	const char *user, *password;     /* borrowed */
	unsigned prompts, secrets;
	bool multi_step, alone;          /* alone: it wanted to ask, and nobody was there */
	char message[96];                /* the last text of a module, escaped */
	char said[LIMIT_PROMPT + 1];     /* its texts since the last question, escaped */
	char question[LIMIT_PROMPT + 1]; /* the last one that the user was asked */
};

/* As a client can show it: one line, no control characters. */
static void flatten(const char *text, char *buf, size_t cap)
{
	_cleanup_free_ char *line = strdup(text);
	size_t n = line ? strlen(line) : 0;

	while (n && strchr(" \t\r\n", line[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		if (strchr("\t\r\n", line[i]))
			line[i] = ' ';
	text_escape((struct span){ (const uint8_t *)line, n }, buf, cap);
}

/* The user is shown it with the next question, if there is one. */
static void keep_text(struct talk *t, const char *text)
{
	size_t n = strlen(t->said);

	text_escape(span_str(text), t->message, sizeof(t->message));
	if (n && n + 2 < sizeof(t->said))
		t->said[n++] = ' ';
	flatten(text, t->said + n, sizeof(t->said) - n);
}

/* The account's password, and no other secret. */
static bool is_password(const char *text)
{
	static const char *const other[] = { "one-time", "one time", "otp",  "token",
					     "passcode", "code",     "new ", "next " };

	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (strcasestr(text, other[i]))
			return false;
	return strcasestr(text, "password");
}

static bool is_name(const char *text)
{
	return strcasestr(text, "login") || strcasestr(text, "user");
}

static enum auth_ask kind_of(int style, const char *text)
{
	if (style == PAM_PROMPT_ECHO_ON)
		return AUTH_ASK_ANSWER;
	return strcasestr(text, "new pin") || strcasestr(text, "next pin") ? AUTH_ASK_PIN
									   : AUTH_ASK_PASSCODE;
}

static int ask_user(struct talk *t, int style, const char *text, char **ret)
{
	char answer[LIMIT_PASSWORD + 1], prompt[LIMIT_PROMPT + 1], all[2 * LIMIT_PROMPT + 2];
	int rc;

	t->alone = !t->asker;
	if (t->alone)
		return PAM_CONV_ERR;
	flatten(text, t->question, sizeof(t->question));
	snprintf(all, sizeof(all), "%s%s%s", t->said, *t->said ? " " : "", t->question);
	text_cut(all, prompt, sizeof(prompt));
	*t->said = '\0';
	rc = t->asker->ask(t->asker->ctx, kind_of(style, text), prompt, answer);
	if (rc == 0)
		*ret = strdup(answer);
	explicit_bzero(answer, sizeof(answer));
	return rc < 0 ? PAM_CONV_ERR : *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int give(const char *known, char **ret)
{
	*ret = strdup(known);
	return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int answer(struct talk *t, const struct pam_message *m, char **ret)
{
	const char *text = m->msg ? m->msg : "";

	*ret = NULL;
	switch (m->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
	case PAM_PROMPT_ECHO_ON:
		if (++t->prompts > PROMPTS_MAX) {
			t->multi_step = true;
			return PAM_CONV_ERR;
		}
		if (m->msg_style == PAM_PROMPT_ECHO_OFF && (t->secrets++ == 0 || is_password(text)))
			return give(t->password, ret);
		if (m->msg_style == PAM_PROMPT_ECHO_ON && !t->secrets && is_name(text))
			return give(t->user, ret);
		return ask_user(t, m->msg_style, text, ret);
	case PAM_ERROR_MSG:
	case PAM_TEXT_INFO:
		keep_text(t, text);
		return PAM_SUCCESS;
	default:
		return PAM_CONV_ERR;
	}
}

static int converse(int n, const struct pam_message **msg, struct pam_response **ret, void *ctx)
{
	struct pam_response *out;
	int rc = PAM_SUCCESS;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	out = calloc((size_t)n, sizeof(*out));
	if (!out)
		return PAM_BUF_ERR;
	for (int i = 0; i < n && rc == PAM_SUCCESS; i++)
		rc = answer(ctx, msg[i], &out[i].resp);
	if (rc == PAM_SUCCESS) {
		*ret = out;
		return rc;
	}
	for (int i = 0; i < n; i++) {
		if (out[i].resp)
			explicit_bzero(out[i].resp, strlen(out[i].resp));
		free(out[i].resp);
	}
	free(out);
	return rc;
}

/*
 * PAM would sleep here and hold up the worker. The wish is dropped, not passed on: failing answers
 * wait in the server, all for the same time whatever the reason, and modules ask for a delay for
 * some reasons only.
 */
static void no_delay(int retval, unsigned us, void *ctx)
{
	(void)retval;
	(void)us;
	(void)ctx;
}

static enum auth_verdict verdict_of(int rc)
{
	switch (rc) {
	case PAM_SUCCESS:
		return AUTH_OK;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_CRED_INSUFFICIENT:
		return AUTH_DENIED;
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_CRED_EXPIRED:
		return AUTH_NOT_ALLOWED;
	default:
		return AUTH_ERROR;
	}
}

static const char *service_of(const struct conf_auth *conf)
{
	return conf->source == CONF_AUTH_SYSTEM ? SYSTEM_SERVICE : conf->pam_service;
}

static void say_failure(const struct conf_auth *conf, const struct talk *t, int rc,
			const char *step, struct auth_reply *r)
{
	enum auth_verdict v = verdict_of(rc);
	char asked[80];

	if (t->multi_step) {
		authd_say(r, AUTH_NOT_ALLOWED, "PAM asks more than %u questions", PROMPTS_MAX);
		return;
	}
	if (t->alone) {
		authd_say(r, AUTH_NOT_ALLOWED, "PAM asks for more than a password");
		return;
	}
	if (rc == PAM_NEW_AUTHTOK_REQD)
		authd_say(r, v, "the password has expired and must be changed elsewhere");
	else if (v == AUTH_ERROR)
		authd_say(r, v, "PAM service %s, %s: %s; see its modules' log lines",
			  service_of(conf), step, pam_strerror(NULL, rc));
	else if (*t->question)
		authd_say(r, v, "%s after the answer to \"%s\"", pam_strerror(NULL, rc),
			  text_cut(t->question, asked, sizeof(asked)));
	else
		authd_say(r, v, "%s%s%s", pam_strerror(NULL, rc), t->message[0] ? ": " : "",
			  t->message);
}

/* All groups of a system user. A user whom only PAM knows has none. */
static void add_groups(const struct conf_auth *conf, const struct passwd *pw, struct auth_reply *r)
{
	_cleanup_free_ gid_t *gid = NULL;
	_cleanup_free_ char *buf = NULL;
	size_t cap = 1 << 16;
	int n = 64, rc;

	do {
		int had = n;

		free(gid);
		gid = calloc((size_t)n, sizeof(*gid));
		if (!gid)
			return;
		rc = getgrouplist(pw->pw_name, pw->pw_gid, gid, &n);
		if (rc < 0 && n <= had)
			n = had * 2;
	} while (rc < 0 && n <= 65536);
	buf = malloc(cap);
	for (int i = 0; buf && i < rc; i++) {
		struct group g, *found = NULL;

		if (getgrgid_r(gid[i], &g, buf, cap, &found) == ERANGE && cap < 1 << 24) {
			char *more = realloc(buf, cap *= 4);

			if (!more)
				return;
			buf = more;
			i--;
		} else if (found) {
			authd_add_group(conf, r, span_str(g.gr_name));
		}
	}
}

/* The system's entry of a name; NULL when it has none. *buf is owned by the caller. */
static const struct passwd *system_user(const char *name, struct passwd *pw, char **buf)
{
	struct passwd *found = NULL;
	size_t cap = 1 << 14;

	for (; cap <= 1 << 22; cap *= 4) {
		free(*buf);
		*buf = malloc(cap);
		if (!*buf || getpwnam_r(name, pw, *buf, cap, &found) != ERANGE)
			break;
	}
	return *buf ? found : NULL;
}

static bool is_superuser(const char *name, struct auth_reply *r)
{
	_cleanup_free_ char *buf = NULL;
	struct passwd space;
	const struct passwd *pw = system_user(name, &space, &buf);

	if (strcmp(name, "root") != 0 && !(pw && pw->pw_uid == 0))
		return false;
	authd_say(r, AUTH_NOT_ALLOWED, "users with uid 0 may not log in");
	return true;
}

/* After both stages have said yes: who is it, in the system's eyes? */
static void finish(const struct conf_auth *conf, pam_handle_t *h, const char *user,
		   struct auth_reply *r)
{
	_cleanup_free_ char *buf = NULL;
	const void *canonical = NULL;
	struct passwd space;
	const struct passwd *pw;

	if (pam_get_item(h, PAM_USER, &canonical) != PAM_SUCCESS || !canonical)
		canonical = user;
	if (is_superuser(canonical, r))
		return;
	authd_say(r, AUTH_OK, "%s", "");
	pw = system_user(canonical, &space, &buf);
	if (pw)
		add_groups(conf, pw, r);
}

static int set_items(pam_handle_t *h, const char *peer)
{
	int rc = pam_set_item(h, PAM_FAIL_DELAY, (const void *)no_delay);

	if (rc == PAM_SUCCESS)
		rc = pam_set_item(h, PAM_RHOST, peer);
	if (rc == PAM_SUCCESS)
		rc = pam_set_item(h, PAM_TTY, "vpngw");
	return rc;
}

static void run_pam(const struct conf_auth *conf, struct talk *t, const char *peer,
		    struct auth_reply *r)
{
	const struct pam_conv conv = { converse, t };
	const char *step = "start";
	pam_handle_t *h = NULL;
	int rc;

	if (conf->source == CONF_AUTH_SYSTEM)
		rc = pam_start_confdir(SYSTEM_SERVICE, t->user, &conv, SYSTEM_CONFDIR, &h);
	else
		rc = pam_start(conf->pam_service, t->user, &conv, &h);
	if (rc == PAM_SUCCESS)
		rc = set_items(h, peer);
	if (rc == PAM_SUCCESS) {
		step = "auth";
		rc = pam_authenticate(h, PAM_DISALLOW_NULL_AUTHTOK);
	}
	if (rc == PAM_SUCCESS) {
		step = "account";
		rc = pam_acct_mgmt(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	}
	if (rc == PAM_SUCCESS)
		finish(conf, h, t->user, r);
	else
		say_failure(conf, t, rc, step, r);
	if (h)
		pam_end(h, rc);
}

void authd_pam_check(const struct conf_auth *conf, const struct authd_asker *asker,
		     const struct auth_request *q, struct auth_reply *r)
{
	char user[LIMIT_USER + 1] = "", password[LIMIT_PASSWORD + 1], peer[AUTH_PEER_MAX + 1] = "";
	struct talk t = { .asker = asker, .user = user, .password = password };
	char why[sizeof(r->reason)];

	if (authd_pam_probe(conf, why, sizeof(why)) < 0) {
		authd_say(r, AUTH_ERROR, "%s", why);
		return;
	}
	memcpy(user, q->user.p, q->user.n);
	memcpy(peer, q->peer.p, q->peer.n);
	if (strchr(user, '/')) { /* modules make file names of it */
		authd_say(r, AUTH_DENIED, "the user name has a slash");
		return;
	}
	if (is_superuser(user, r))
		return;
	memcpy(password, q->password.p, q->password.n);
	password[q->password.n] = '\0';
	run_pam(conf, &t, peer, r);
	explicit_bzero(password, sizeof(password));
}

/* libpam takes a service without a file for "other", which may let anybody in or nobody. */
int authd_pam_probe(const struct conf_auth *conf, char *why, size_t cap)
{
	static const char *const dirs[] = { "/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d" };
	char path[512];

	if (conf->source == CONF_AUTH_SYSTEM) {
		if (access(SYSTEM_CONFDIR "/" SYSTEM_SERVICE, R_OK) == 0)
			return 0;
		snprintf(why, cap, "cannot read %s: %s; install vpngw again",
			 SYSTEM_CONFDIR "/" SYSTEM_SERVICE, strerror(errno));
		return -ENOENT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], conf->pam_service);
		if (access(path, R_OK) == 0)
			return 0;
	}
	snprintf(why, cap, "no PAM service %s: create /etc/pam.d/%s, or set [auth] pam_service",
		 conf->pam_service, conf->pam_service);
	return -ENOENT;
}
