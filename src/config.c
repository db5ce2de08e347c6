/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config.c - vpngw.conf from files to a value.
 *
 *   files -> assignments (config_read.c) -> values (here, by the rows of config_keys.c)
 *         -> what they say together (config_check.c)
 *
 * A stage collects its mistakes and goes on, so that one run tells all of them.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "config_build.h"
#include "config_profile.h"
#include "ike/psk.h"
#include "ini.h"
#include "text.h"

_Static_assert(INI_NAME_MAX <= LIMIT_GROUP_NAME, "a pool's name fits where it is kept");

DEFINE_CLEANUP(struct config, config_free)

const struct conf_places conf_installed = {
	.main = SYSCONFDIR CONFIG_FILE,
	.dropins = { "/usr/lib/vpngw/vpngw.conf.d", LIBDIR "/vpngw.conf.d",
		     SYSCONFDIR CONFIG_FILE ".d", "/run" CONFIG_FILE ".d" },
};

/* ---- values ---- */

/* at: where the text stands; a default stands nowhere and is right. */
static int parse_one(struct conf_input *in, struct conf_setting *s, struct conf_arg *a,
		     struct conf_origin at, const char *line, size_t offset)
{
	int rc = a->key->parse(a);

	if (rc == -EINVAL) {
		conf_mistake(in, conf_origin_in(at, line, offset + a->at), "%s", a->why);
		s->bad = true;
	}
	return rc == -ENOMEM ? rc : 0;
}

static int parse_line(struct conf_input *in, struct conf_setting *s, struct conf_arg *a,
		      struct conf_origin at, const char *line)
{
	char item[INI_LINE_MAX + 1];
	size_t pos = 0, offset;
	int rc = 0;

	if (!a->key->list) {
		a->text = line;
		return parse_one(in, s, a, at, line, 0);
	}
	a->text = item;
	a->first = true;
	while (rc == 0 && conf_next_item(line, &pos, item, &offset)) {
		if (*item) {
			rc = parse_one(in, s, a, at, line, offset);
		} else {
			conf_mistake(in, conf_origin_in(at, line, offset),
				     "%s: nothing beside a comma, expected a value", a->key->key);
			s->bad = true;
		}
		a->first = false;
	}
	return rc;
}

static bool is_none(const struct conf_key *k, const char *text)
{
	return !*text || (k->clears && strcmp(text, "none") == 0);
}

int conf_parse_setting(struct conf_input *in, const struct conf_key *k, struct conf_setting *s,
		       void *base)
{
	struct conf_arg a = { .key = k, .base = base };
	bool dflt = k->list ? !s->set : s->n == 0;
	int rc = 0;

	if (dflt)
		return is_none(k, k->dflt)
			       ? 0
			       : parse_line(in, s, &a, (struct conf_origin){ 0 }, k->dflt);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = parse_line(in, s, &a, s->line[i].at, s->line[i].text);
	return rc;
}

/* pool: the keys of a pool, else those of sections without a name. */
static int parse_part(struct conf_input *in, struct conf_part *part, bool pool, void *base)
{
	int rc = 0;

	for (size_t i = 0; i < conf_n_keys && rc == 0; i++) {
		const char *named = conf_key_named(&conf_keys[i]);

		if (pool ? named && strcmp(named, "pool") == 0 : !named)
			rc = conf_parse_setting(in, &conf_keys[i], &part->setting[i], base);
	}
	return rc;
}

/* ---- pools ---- */

/* All pools share one store: what one says holds for those that say nothing. */
static int share_store(struct conf_input *in)
{
	size_t key = conf_key_find("pool", "store");
	const struct conf_setting *from = NULL;

	for (size_t i = 0; i < in->n_pools && !from; i++)
		if (in->pool[i].setting[key].n)
			from = &in->pool[i].setting[key];
	for (size_t i = 0; i < in->n_pools && from; i++) {
		struct conf_setting *to = &in->pool[i].setting[key];

		if (to->n)
			continue;
		to->line = calloc(1, sizeof(*to->line));
		if (!to->line)
			return -ENOMEM;
		to->line[0].text = strdup(from->line[0].text);
		if (!to->line[0].text)
			return -ENOMEM;
		to->line[0].at = from->line[0].at;
		to->n = 1;
	}
	return 0;
}

static int build_pools(struct conf_input *in, struct config *c)
{
	int rc = share_store(in);

	if (rc < 0 || in->n_pools == 0)
		return rc;
	c->pool = calloc(in->n_pools, sizeof(*c->pool));
	if (!c->pool)
		return -ENOMEM;
	c->n_pools = in->n_pools;
	for (size_t i = 0; i < in->n_pools && rc == 0; i++) {
		snprintf(c->pool[i].pool.name, sizeof(c->pool[i].pool.name), "%s",
			 in->pool[i].name);
		rc = parse_part(in, &in->pool[i], true, &c->pool[i]);
	}
	return rc;
}

/* ---- what clients are told ---- */

/* Takes the line breaks of any system, leaves LF between lines and none at the end. */
static size_t tidy_lines(char *text, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r' || i + 1 == n || text[i + 1] != '\n')
			text[out++] = text[i];
	while (out && text[out - 1] == '\n')
		out--;
	text[out] = '\0';
	return out;
}

static bool is_banner(struct span s)
{
	size_t from = 0;

	for (size_t i = 0; i <= s.n; i++)
		if (i == s.n || s.p[i] == '\n' || s.p[i] == '\t') {
			if (!text_is_clean((struct span){ s.p + from, i - from }))
				return false;
			from = i + 1;
		}
	return true;
}

int conf_load_banner(struct conf_input *in, const struct conf_setting *s, const char *path,
		     char **ret)
{
	char shown[CONF_SHOWN];
	size_t n;
	int rc;

	if (!path || s->bad)
		return 0;
	conf_shown(path, shown);
	rc = conf_file_read(path, 65536, ret, &n);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		conf_mistake(in, s->at, "banner: %s cannot be read: %s, expected a text file",
			     shown, rc == -EINVAL ? "Not a regular file" : strerror(-rc));
		return 0;
	}
	n = tidy_lines(*ret, n);
	if (n > LIMIT_BANNER)
		conf_mistake(in, s->at, "banner: %s holds %zu bytes, expected at most %d", shown, n,
			     LIMIT_BANNER);
	else if (!is_banner((struct span){ (uint8_t *)*ret, n }))
		conf_mistake(in, s->at,
			     "banner: %s holds control characters or is not UTF-8, expected plain "
			     "text",
			     shown);
	return 0;
}

static struct span span_or_none(const char *s)
{
	return s ? span_str(s) : (struct span){ 0 };
}

static int fill_modecfg(struct conf_input *in, struct config *c)
{
	struct ike_modecfg *m = &c->ike.modecfg;
	int rc = conf_load_banner(in, conf_setting(&in->global, "mode_cfg", "banner"),
				  c->banner_file, &c->banner);

	c->version = strdup("vpngw " VERSION);
	if (rc < 0 || !c->version)
		return -ENOMEM;
	m->default_domain = span_or_none(c->default_domain);
	m->split_dns = span_or_none(c->split_dns);
	m->backup_servers = span_or_none(c->backup_servers);
	m->banner = span_or_none(c->banner);
	m->version = span_str(c->version);
	m->natt_port = c->listen.n_isakmp_natt ? c->listen.isakmp_natt[0].port : 4500;
	m->pfs_group = c->ike.n_pfs ? c->ike.pfs_group[0] : 0;
	m->netmask_len = 32;
	for (size_t i = 0; i < c->n_pools; i++)
		if (strcmp(c->pool[i].pool.name, "default") == 0)
			m->netmask_len = c->pool[i].netmask_len;
	return 0;
}

/* ---- what creds.c will look at ---- */

static int keep_places(const struct conf_input *in, struct conf_gateway *g)
{
	g->certificate_at = conf_place_str(in, "gateway", "certificate");
	g->private_key_at = conf_place_str(in, "gateway", "private_key");
	g->my_identifier_at = conf_place_str(in, "gateway", "my_identifier");
	return g->certificate_at && g->private_key_at && g->my_identifier_at ? 0 : -ENOMEM;
}

/* ---- all together ---- */

int conf_build(struct conf_input *in, enum conf_purpose purpose, struct config **ret)
{
	_cleanup_(config_freep) struct config *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	rc = parse_part(in, &in->global, false, c);
	if (rc == 0)
		rc = keep_places(in, &c->gateway);
	if (rc == 0)
		rc = build_pools(in, c);
	if (rc == 0)
		rc = fill_modecfg(in, c);
	if (rc == 0)
		rc = conf_build_profiles(in, c);
	if (rc == 0 && !c->banner_file) {
		c->banner_file = strdup("");
		rc = c->banner_file ? 0 : -ENOMEM;
	}
	if (rc == 0)
		rc = conf_warn_weak(c);
	if (rc < 0)
		return rc;
	conf_check(in, purpose, c);
	if (in->error < 0)
		return in->error;
	*ret = TAKE_PTR(c);
	return 0;
}

/* Reads what stands at the places and says what is wrong with it. */
static int read_and_build(const struct conf_places *places, enum conf_purpose purpose, FILE *err,
			  struct conf_input **ret_in, struct config **ret)
{
	_cleanup_(conf_input_freep) struct conf_input *in = conf_input_new();
	_cleanup_(config_freep) struct config *c = NULL;
	int rc;

	if (!in)
		return -ENOMEM;
	rc = conf_input_read(in, places);
	if (rc == 0)
		rc = conf_build(in, purpose, &c);
	conf_mistakes_print(in, err);
	if (rc < 0)
		return rc;
	if (in->n_mistakes)
		return -EINVAL;
	rc = conf_items(in, c);
	if (rc < 0)
		return rc;
	*ret_in = TAKE_PTR(in);
	*ret = TAKE_PTR(c);
	return 0;
}

int conf_load_from(const struct conf_places *places, FILE *err, struct config **ret)
{
	_cleanup_(conf_input_freep) struct conf_input *in = NULL;

	return read_and_build(places, CONF_TO_RUN, err, &in, ret);
}

int conf_print_from(const struct conf_places *places, FILE *out, FILE *err)
{
	_cleanup_(conf_input_freep) struct conf_input *in = NULL;
	_cleanup_(config_freep) struct config *c = NULL;
	int rc = read_and_build(places, CONF_TO_SHOW, err, &in, &c);

	if (rc == 0)
		conf_print_input(in, out);
	return rc;
}

/* The drop-ins of a file that was named lie beside it. */
static int with_places(const char *path, char **ret_dir, struct conf_places *ret)
{
	*ret = conf_installed;
	*ret_dir = NULL;
	if (!path)
		return 0;
	if (asprintf(ret_dir, "%s.d", path) < 0) {
		*ret_dir = NULL;
		return -ENOMEM;
	}
	*ret = (struct conf_places){ .main = path, .dropins = { *ret_dir } };
	return 0;
}

int config_load(const char *path, FILE *err, struct config **ret)
{
	_cleanup_free_ char *dir = NULL;
	struct conf_places places;
	int rc = with_places(path, &dir, &places);

	return rc < 0 ? rc : conf_load_from(&places, err, ret);
}

int config_print(const char *path, FILE *out, FILE *err)
{
	_cleanup_free_ char *dir = NULL;
	struct conf_places places;
	int rc = with_places(path, &dir, &places);

	return rc < 0 ? rc : conf_print_from(&places, out, err);
}

static void free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	free(c->gateway.certificate);
	free(c->gateway.private_key);
	free(c->gateway.my_identifier);
	free(c->gateway.certificate_at);
	free(c->gateway.private_key_at);
	free(c->gateway.my_identifier_at);
	free(c->auth.users_file);
	for (size_t i = 0; i < c->auth.n_radius; i++)
		free(c->auth.radius[i].secret);
	free_strings(c->auth.groups, c->auth.n_groups);
	for (size_t i = 0; i < c->n_pools; i++)
		free(c->pool[i].store);
	free(c->pool);
	conf_free_profiles(c);
	free(c->banner_file);
	free(c->psk_file);
	free(c->ca_file);
	free(c->crl_file);
	psk_free(c->psk);
	free(c->default_domain);
	free(c->split_dns);
	free(c->backup_servers);
	free(c->banner);
	free(c->version);
	free_strings(c->warnings, c->n_warnings);
	for (size_t i = 0; i < c->n_items; i++) {
		free(c->item[i].value);
		free(c->item[i].at);
	}
	free(c->item);
	free_strings(c->file, c->n_files);
	free(c);
	return NULL;
}
