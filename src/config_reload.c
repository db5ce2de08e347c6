/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_reload.c - what differs between two configurations, and what stays as it was when one
 * takes the place of the other. */
#include <errno.h>
#include <stdlib.h>

#include "config_build.h"

/* ---- items ---- */

/* The lines of a setting, or its default. NULL: out of memory. */
static char *value_of(const struct conf_key *k, const struct conf_setting *s)
{
	bool dflt = k->list ? !s->set : s->n == 0;
	char *text = NULL;
	size_t n;
	FILE *f;

	if (dflt)
		return strdup(k->dflt);
	if (s->n == 0)
		return strdup(k->clears ? "none" : "");
	f = open_memstream(&text, &n);
	for (size_t i = 0; f && i < s->n; i++)
		fprintf(f, "%s%s", i ? "\n" : "", s->line[i].text);
	if (!f || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int add_item(const struct conf_input *in, struct config *c, const struct conf_key *k,
		    const struct conf_part *part, const struct conf_setting *s)
{
	struct conf_item *more = reallocarray(c->item, c->n_items + 1, sizeof(*more)), *it;
	bool dflt = k->list ? !s->set : s->n == 0;
	char where[CONF_ORIGIN];

	if (!more)
		return -ENOMEM;
	c->item = more;
	it = &more[c->n_items++];
	*it = (struct conf_item){ .section = k->section, .key = k->key, .apply = k->apply };
	strcpy(it->name, part->name);
	it->value = value_of(k, s);
	it->at = strdup(conf_origin_str(in, dflt ? (struct conf_origin){ 0 } : s->at, where));
	return it->value && it->at ? 0 : -ENOMEM;
}

static int add_section(const struct conf_input *in, struct config *c, const char *section,
		       const struct conf_part *part)
{
	int rc = 0;

	for (size_t i = 0; i < conf_n_keys && rc == 0; i++)
		if (strcmp(conf_keys[i].section, section) == 0 && !conf_keys[i].later)
			rc = add_item(in, c, &conf_keys[i], part, &part->setting[i]);
	return rc;
}

/* Those of a section: one, or one for each name. */
static const struct conf_part *parts_of(const struct conf_input *in, const struct conf_section *def,
					size_t *ret_n)
{
	bool pool = strcmp(def->name, "pool") == 0;

	*ret_n = def->later ? 0 : !def->named ? 1 : pool ? in->n_pools : in->n_profiles;
	return !def->named ? &in->global : pool ? in->pool : in->profile;
}

int conf_items(const struct conf_input *in, struct config *c)
{
	int rc = 0;

	for (size_t i = 0; i < conf_n_sections; i++) {
		size_t n;
		const struct conf_part *part = parts_of(in, &conf_sections[i], &n);

		for (size_t p = 0; p < n && rc == 0; p++)
			rc = add_section(in, c, conf_sections[i].name, &part[p]);
	}
	c->file = calloc(in->n_files + 1, sizeof(*c->file));
	if (!c->file)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_files && rc == 0; i++) {
		c->file[i] = strdup(in->file[i]);
		rc = c->file[i] ? 0 : -ENOMEM;
		c->n_files += rc == 0;
	}
	return rc;
}

/* ---- comparing ---- */

static struct conf_item *find(const struct config *c, const struct conf_item *like)
{
	for (size_t i = 0; i < c->n_items; i++) {
		struct conf_item *it = &c->item[i];

		if (it->key == like->key && it->section == like->section &&
		    strcmp(it->name, like->name) == 0)
			return it;
	}
	return NULL;
}

int config_diff(const struct config *from, const struct config *to, config_diff_fn fn, void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < to->n_items && rc == 0; i++) {
		const struct conf_item *it = &to->item[i], *was = find(from, it);

		if (!was || strcmp(was->value, it->value) != 0)
			rc = fn(ctx, was, it);
	}
	for (size_t i = 0; i < from->n_items && rc == 0; i++)
		if (!find(to, &from->item[i]))
			rc = fn(ctx, &from->item[i], NULL);
	return rc;
}

/* ---- keeping ---- */

static int keep_item(struct conf_item *it, const struct conf_item *was)
{
	char *value = strdup(was->value), *at = strdup(was->at);

	if (!value || !at) {
		free(value);
		free(at);
		return -ENOMEM;
	}
	free(it->value);
	free(it->at);
	it->value = value;
	it->at = at;
	return 0;
}

static int keep_items(struct config *c, const struct config *running, bool esp_frag)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_items && rc == 0; i++) {
		struct conf_item *it = &c->item[i], *was = find(running, it);

		if (was && (it->apply == CONF_APPLY_START ||
			    (esp_frag && strcmp(it->key, "esp_frag") == 0)))
			rc = keep_item(it, was);
	}
	return rc;
}

static int keep_store(struct config *c, const struct config *running)
{
	for (size_t i = 0; i < c->n_pools; i++) {
		char *store = strdup(running->pool[0].store);

		if (!store)
			return -ENOMEM;
		free(c->pool[i].store);
		c->pool[i].store = store;
	}
	return 0;
}

int config_keep(struct config *c, const struct config *running)
{
	const struct conf_tunnel *t = &running->tunnel;
	/* A size for another interface, or for none, says nothing about this one. */
	bool esp_frag = strcmp(c->tunnel.interface, t->interface) != 0;
	int rc = keep_items(c, running, esp_frag);

	c->listen = running->listen;
	c->ike.modecfg.natt_port = running->ike.modecfg.natt_port;
	for (size_t i = 0; i < c->n_profiles; i++)
		c->ike_profile[i].modecfg.natt_port = running->ike.modecfg.natt_port;
	memcpy(c->tunnel.interface, t->interface, sizeof(c->tunnel.interface));
	if (esp_frag)
		c->tunnel.esp_frag = t->esp_frag;
	c->auth.deadline_s = running->auth.deadline_s;
	return rc < 0 || !running->n_pools ? rc : keep_store(c, running);
}
