/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server_config.c - the methods of io.vpngw about the configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/server_private.h"
#include "ini.h"

/* ---- what a reload has to say ---- */

static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

bool ctl_reload_add(struct ctl_reload *r, const char *setting, const char *from, const char *to,
		    const char *remedy)
{
	struct ctl_change *more = reallocarray(r->change, r->n_changes + 1, sizeof(*more)), *c;

	if (!more)
		return false;
	r->change = more;
	c = &more[r->n_changes++];
	*c = (struct ctl_change){ 0 };
	return copy(setting, &c->setting) && c->setting && copy(from, &c->from) &&
	       copy(to, &c->to) && copy(remedy, &c->remedy);
}

bool ctl_reload_say(struct ctl_reload *r, const char *message)
{
	char **more = reallocarray(r->message, r->n_messages + 1, sizeof(*more));

	if (!more)
		return false;
	r->message = more;
	more[r->n_messages] = strdup(message);
	if (!more[r->n_messages])
		return false;
	r->n_messages++;
	return true;
}

void ctl_reload_forget(struct ctl_reload *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(r->message[i]);
	r->n_messages -= n;
	memmove(r->message, r->message + n, r->n_messages * sizeof(*r->message));
}

void ctl_reload_clear(struct ctl_reload *r)
{
	for (size_t i = 0; i < r->n_changes; i++) {
		free(r->change[i].setting);
		free(r->change[i].from);
		free(r->change[i].to);
		free(r->change[i].remedy);
	}
	for (size_t i = 0; i < r->n_messages; i++)
		free(r->message[i]);
	free(r->change);
	free(r->message);
	*r = (struct ctl_reload){ 0 };
}

/* ---- methods ---- */

static void put_messages(struct jsonw *w, const char *key, const struct ctl_reload *r)
{
	jsonw_open(w, key, '[');
	for (size_t i = 0; i < r->n_messages; i++)
		jsonw_text(w, NULL, r->message[i]);
	jsonw_close(w, ']');
}

static void put_invalid(struct jsonw *w, const struct ctl_reload *r)
{
	jsonw_open(w, NULL, '{');
	jsonw_text(w, "error", "io.vpngw.ConfigInvalid");
	jsonw_open(w, "parameters", '{');
	jsonw_text(w, "schema_version", CTL_SCHEMA);
	put_messages(w, "messages", r);
	varlink_end(w);
}

static void put_changes(struct jsonw *w, const struct ctl_reload *r)
{
	varlink_begin(w);
	jsonw_text(w, "schema_version", CTL_SCHEMA);
	jsonw_open(w, "changes", '[');
	for (size_t i = 0; i < r->n_changes; i++) {
		const struct ctl_change *c = &r->change[i];

		jsonw_open(w, NULL, '{');
		jsonw_text(w, "setting", c->setting);
		jsonw_text(w, "from", c->from);
		jsonw_text(w, "to", c->to);
		jsonw_text(w, "remedy", c->remedy);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	put_messages(w, "warnings", r);
	varlink_end(w);
}

static void reload(struct ctl_client *c, bool apply)
{
	const struct ctl_server *s = c->server;
	struct ctl_reload r = { 0 };
	int rc;

	c->peer.reason[0] = '\0';
	rc = s->ops->reload(s->ctx, apply, ctl_client_peer(c), &r);
	if (rc < 0 && rc != -EINVAL)
		ctl_reload_say(&r, strerror(-rc));
	if (rc < 0)
		put_invalid(&c->out, &r);
	else
		put_changes(&c->out, &r);
	ctl_reload_clear(&r);
}

void ctl_run_reload(struct ctl_client *c, const struct varlink_call *call)
{
	(void)call;
	reload(c, true);
}

void ctl_run_diff(struct ctl_client *c, const struct varlink_call *call)
{
	(void)call;
	reload(c, false);
}

/* One element for each line. */
static void put_lines(struct jsonw *w, const char *key, const char *text)
{
	char line[INI_LINE_MAX + 1];

	jsonw_open(w, key, '[');
	while (*text) {
		size_t n = strcspn(text, "\n"), cut = n < sizeof(line) ? n : sizeof(line) - 1;

		memcpy(line, text, cut);
		line[cut] = '\0';
		jsonw_text(w, NULL, line);
		text += n + (text[n] == '\n');
	}
	jsonw_close(w, ']');
}

void ctl_run_config(struct ctl_client *c, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;
	struct jsonw *w = &c->out;
	struct ctl_setting set;
	const char *file;

	(void)call;
	varlink_begin(w);
	jsonw_text(w, "schema_version", CTL_SCHEMA);
	jsonw_open(w, "settings", '[');
	for (uint32_t i = 0; s->ops->setting(s->ctx, i, &set); i++) {
		jsonw_open(w, NULL, '{');
		jsonw_text(w, "section", set.section);
		jsonw_text(w, "name", set.name);
		jsonw_text(w, "key", set.key);
		put_lines(w, "value", set.value);
		jsonw_text(w, "from", set.from);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_open(w, "files", '[');
	for (uint32_t i = 0; (file = s->ops->config_file(s->ctx, i)); i++)
		jsonw_text(w, NULL, file);
	jsonw_close(w, ']');
	varlink_end(w);
}
