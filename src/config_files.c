/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_files.c - which files make up the configuration, and reading them.
 *
 * Drop-ins are taken from several directories and sorted by name alone, so that a distribution's,
 * the administrator's and the running system's files can be put between one another. Of one name
 * only the file in the last directory counts; an empty one, or a link to /dev/null, masks it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "config_read.h"

#define DROPINS_MAX 256

int conf_file_read(const char *path, size_t max, char **ret, size_t *ret_n)
{
	/* Not to hang on a FIFO that somebody put there. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return -EINVAL;
	buf = malloc(max + 1);
	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, buf + n, max + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
		if (n > max)
			return -EFBIG;
		if (got == 0)
			break;
	}
	buf[n] = '\0';
	*ret = TAKE_PTR(buf);
	*ret_n = n;
	return 0;
}

struct dropins {
	char **path;
	size_t n;
};

static const char *file_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(file_name(*(char *const *)a), file_name(*(char *const *)b));
}

/* Adds dir/name, in the place of a file of that name in an earlier directory. */
static int add_dropin(struct dropins *d, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	char **more;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(file_name(d->path[i]), name) == 0) {
			free(d->path[i]);
			d->path[i] = TAKE_PTR(path);
			return 0;
		}
	if (d->n == DROPINS_MAX)
		return -E2BIG;
	more = reallocarray(d->path, d->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->path = more;
	d->path[d->n++] = TAKE_PTR(path);
	return 0;
}

static bool is_dropin(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int scan(struct dropins *d, const char *dir)
{
	DIR *handle = opendir(dir);
	const struct dirent *e;
	int rc = 0;

	if (!handle)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (e = readdir(handle)))
		if (is_dropin(e->d_name))
			rc = add_dropin(d, dir, e->d_name);
	closedir(handle);
	return rc;
}

int conf_dropins(struct conf_input *in, const struct conf_places *places, char ***ret,
		 size_t *ret_n)
{
	struct dropins d = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(places->dropins); i++) {
		const char *dir = places->dropins[i];
		int rc = dir ? scan(&d, dir) : 0;

		if (rc == -ENOMEM) {
			for (size_t k = 0; k < d.n; k++)
				free(d.path[k]);
			free(d.path);
			return rc;
		}
		if (rc < 0)
			conf_mistake(in, (struct conf_origin){ 1, 1, 1 },
				     "drop-ins in %s cannot be read: %s", dir,
				     rc == -E2BIG ? "too many files" : strerror(-rc));
	}
	if (d.n)
		qsort(d.path, d.n, sizeof(*d.path), by_name);
	*ret = d.path;
	*ret_n = d.n;
	return 0;
}
