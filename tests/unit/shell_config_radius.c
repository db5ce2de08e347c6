/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_config_radius.c - [radius]: servers and their options, and what is told about mistakes. */
#include "cleanup.h"
#include "config_try.h"

#define RADIUS LEAST "[auth]\nauth_source = radius\n[radius]\n"
#define LINE   "t.conf:6:"

static void servers(void)
{
	struct attempt t =
		try_text(RADIUS "auth_server = 10.0.12.5 secret=/etc/vpngw/private/radius, "
				"10.0.12.5:1645\tsecret=credential:old timeout=5s retries=0 "
				"require_message_authenticator=off\n"
				"auth_server = [fd00:12::5]:11812 require_message_authenticator=on "
				"secret=/s\n"
				"nas_identifier = t\xc3\xbcr 1\n",
			 CONF_TO_RUN);
	const struct conf_radius_server *s = t.c->auth.radius;
	char buf[ENDPOINT_STRLEN];

	is_str(t.told, "", "three servers");
	is_int(t.c->auth.source, CONF_AUTH_RADIUS, "auth_source = radius");
	is_int(t.c->auth.n_radius, 3, "two on one line, and a third");
	is_str(endpoint_str(&s[0].at, buf), "10.0.12.5:1812", "the port may be left out");
	is_str(s[0].secret, "/etc/vpngw/private/radius", "a secret in a file");
	ok(s[0].timeout_s == 2 && s[0].retries == 1 && !s[0].lax, "the defaults");
	is_str(endpoint_str(&s[1].at, buf), "10.0.12.5:1645", "another port");
	is_str(s[1].secret, "credential:old", "a secret from systemd");
	ok(s[1].timeout_s == 5 && s[1].retries == 0 && s[1].lax, "all options");
	is_str(endpoint_str(&s[2].at, buf), "[fd00:12::5]:11812", "an IPv6 address");
	is_str(t.c->auth.nas_identifier, "t\xc3\xbcr 1", "nas_identifier");
	ok(t.c->n_warnings == 1 && strstr(t.c->warnings[0], "10.0.12.5:1645 can forge"),
	   "a lax server is warned about");
	try_end(&t);
}

static void told(const char *value, const char *want)
{
	char text[2048];
	struct attempt t;

	snprintf(text, sizeof(text), RADIUS "auth_server = %s\n", value);
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, want, value);
	try_end(&t);
}

static void mistakes(void)
{
	struct attempt t;

	told("radius.example.net secret=/s",
	     LINE "15: auth_server: 'radius.example.net' is no address of a server, expected one "
		  "such as 10.0.12.5, 10.0.12.5:1812 or [fd00:12::5]:1812\n");
	told("10.0.12.5:0 secret=/s",
	     LINE "15: auth_server: '10.0.12.5:0' is no address of a server, expected one such as "
		  "10.0.12.5, 10.0.12.5:1812 or [fd00:12::5]:1812\n");
	told("10.0.12.5",
	     LINE "15: auth_server: a server without a secret, expected secret=FILE behind its "
		  "address, with a path or credential:NAME\n");
	told("10.0.12.5  secret=hush",
	     LINE "26: auth_server: secret=... names no file, expected a path that begins with /, "
		  "or credential:NAME\n");
	told("10.0.12.5 secret=",
	     LINE "25: auth_server: secret= names no file, expected a path that begins with /, or "
		  "credential:NAME\n");
	told("10.0.12.5 secret=/s timeout=0s",
	     LINE "35: auth_server: timeout=0s, expected 1s to 60s\n");
	told("10.0.12.5 secret=/s timeout=61s",
	     LINE "35: auth_server: timeout=61s, expected 1s to 60s\n");
	told("10.0.12.5 secret=/s timeout=2",
	     LINE "35: auth_server: timeout=2, expected 1s to 60s\n");
	told("10.0.12.5 secret=/s retries=11",
	     LINE "35: auth_server: retries=11, expected 0 to 10\n");
	told("10.0.12.5 secret=/s require_message_authenticator=no",
	     LINE "35: auth_server: require_message_authenticator=no, expected on or off\n");
	told("10.0.12.5 secret=/s hush",
	     LINE "35: auth_server: unknown option 'hush', expected secret=, timeout=, retries= or "
		  "require_message_authenticator=\n");
	told("10.0.12.5 secret=/s, 10.0.12.5:1812 secret=/t",
	     LINE "36: auth_server: '10.0.12.5:1812 secret=/t' is in the list twice, expected it "
		  "once\n");
	told("10.0.0.1 secret=/s retries=0, 10.0.0.2 secret=/s retries=0, 10.0.0.3 secret=/s "
	     "retries=0, 10.0.0.4 secret=/s retries=0, 10.0.0.5 secret=/s retries=0, 10.0.0.6 "
	     "secret=/s",
	     LINE "165: auth_server: '10.0.0.6 secret=/s' is one too many, expected at most 5\n");
	told("", "t.conf:4:15: auth_source: radius without a server, expected one in [radius] "
		 "auth_server\n");
	told("10.0.12.5 secret=/s timeout=4s retries=2, 10.0.12.6 secret=/s timeout=3s retries=0",
	     LINE "15: auth_server: silent servers are waited for 15 seconds, expected less than "
		  "[auth] deadline of 15: a smaller timeout or retries, or a longer deadline\n");
	told("10.0.12.5 secret=/s timeout=4s retries=2, 10.0.12.6 secret=/s timeout=2s retries=0",
	     "");
	t = try_text(RADIUS "auth_server = 10.0.0.1 secret=/s\nnas_identifier = "
			    "0123456789012345678901234567890123456789012345678901234567890123\n",
		     CONF_TO_RUN);
	ok(strstr(t.told, "nas_identifier") && strstr(t.told, "at most 63 bytes"),
	   "64 bytes are too long for a nas_identifier");
	try_end(&t);
	t = try_text(LEAST "[radius]\nauth_server = 10.0.0.1 secret=/s timeout=60s retries=10\n",
		     CONF_TO_RUN);
	is_str(t.told, "", "servers that are not used may be slow");
	try_end(&t);
}

int main(void)
{
	servers();
	mistakes();
	return done();
}
