/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernel.c - whether the kernel can do what the configuration asks for: one SA of each ESP proposal,
 * one of IPComp where it is wanted and the XFRM interface are tried in a network namespace of their own, where nobody's packets can
 * meet them, and which goes with everything in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cleanup.h"
#include "gateway.h"
#include "ike/names.h"

static void try_proposals(const struct config *c, struct xfrm *x, struct findings *f)
{
	const struct ike_conf *ike = &c->ike;
	char name[IKE_NAME_LEN];
	const char *what = "";
	unsigned good = 0;

	for (unsigned i = 0; i < ike->n_p2; i++)
		good += esp_try(&ike->p2[i], x, &what) == 0;
	for (unsigned i = 0; i < ike->n_p2; i++) {
		if (esp_try(&ike->p2[i], x, &what) == 0)
			continue;
		findings_add(f, good ? FINDING_WARNING : FINDING_ERROR,
			     "[phase2] proposal = %s: the kernel refuses it: %s",
			     ike_p2_str(&ike->p2[i], name), what);
		findings_remedy(f, "the modules that it names, with the kernel's own package; or "
				   "leave it out");
	}
}

static void try_compression(const struct config *c, struct xfrm *x, struct findings *f)
{
	const char *what = "";

	if (esp_try_ipcomp(&c->ike, x, &what) == 0)
		return;
	findings_add(f, FINDING_WARNING,
		     "[phase2] compression_algorithm: the kernel refuses it: %s", what);
	findings_remedy(f, "the modules that it names, with the kernel's own package; or none");
}

static void try_interface(const struct config *c, struct findings *f)
{
	const struct conf_tunnel *t = &c->tunnel;
	int ifindex, rc = xfrm_link_add(t->interface, t->esp_frag, &ifindex);

	if (rc == 0) {
		(void)xfrm_link_del(t->interface);
		return;
	}
	findings_add(f, FINDING_ERROR, "[tunnel] interface = %s: %s", t->interface,
		     rc == -EOPNOTSUPP ? "the kernel has no XFRM interface" : strerror(-rc));
	findings_remedy(f, "modprobe xfrm_interface; a kernel without it needs interface = none");
}

static void try_all(const struct config *c, struct findings *f)
{
	struct xfrm *x = NULL;
	int rc = xfrm_open(&x);

	if (rc < 0) {
		findings_add(f, FINDING_ERROR, "the kernel has no IPsec: %s", strerror(-rc));
		findings_remedy(f, "modprobe xfrm_user esp4");
	} else if (c) {
		try_proposals(c, x, f);
		try_compression(c, x, f);
		if (*c->tunnel.interface)
			try_interface(c, f);
	}
	xfrm_close(x);
}

void check_kernel(const struct config *config, struct findings *f)
{
	_cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	findings_check(f, "kernel");
	if (home < 0 || unshare(CLONE_NEWNET) < 0) {
		findings_add(f, FINDING_UNKNOWN,
			     "the kernel's IPsec is tried in a network namespace of its own, and "
			     "there is none: %s",
			     strerror(errno));
		findings_remedy(f, "run it as root");
		return;
	}
	try_all(config, f);
	if (setns(home, CLONE_NEWNET) < 0)
		findings_add(f, FINDING_UNKNOWN, "the way back to the host's network: %s",
			     strerror(errno));
}
