/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_check.c - what vpngw --check finds on a host: one that is a network namespace of its own, with
 * real routes, settings and sockets, and one thing after the other spoiled.
 */
#include "check/check.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "tap.h"

static char conf[] = "/tmp/vpngw-check-XXXXXX";
static char *found;

static int sh(const char *cmd)
{
	int r = system(cmd);

	if (r != 0)
		printf("# %s: %d\n", cmd, r);
	return r;
}

/* What `look` finds with the configuration, as JSON in `found`. */
static void look(void (*check)(const struct config *, struct findings *), const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(conf, "w");
	struct findings *list = findings_new();
	struct config *c = NULL;
	FILE *out;
	size_t n;

	free(found);
	if (!f || fputs(text, f) < 0 || fflush(f) != 0 || config_load(conf, stdout, &c) < 0)
		abort();
	check(c, list);
	out = open_memstream(&found, &n);
	if (!out || findings_write(list, out) < 0 || fclose(out) != 0)
		abort();
	findings_free(list);
	config_free(c);
}

static bool finds(const char *what)
{
	bool there = strstr(found, what) != NULL;

	if (!there)
		printf("# %s", found);
	return there;
}

static bool finds_nothing(void)
{
	return finds("\"findings\":[]");
}

#define POOL "[pool \"default\"]\nnetwork4 = 10.99.99.1\npool_size = 50\n"

/* ---- ports ---- */

static void bind_to(int family, const char *comm, int ready)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(4500) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(500) };
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(a, (struct sockaddr *)&four, sizeof(four)) < 0 ||
	    (family == AF_INET6 && bind(b, (struct sockaddr *)&six, sizeof(six)) < 0))
		_exit(1);
	prctl(PR_SET_NAME, comm);
	(void)!write(ready, "", 1);
	pause();
	_exit(0);
}

/* A process of that name with port 500 of IPv4, and perhaps 4500 of IPv6. */
static pid_t daemon_called(const char *comm, int family)
{
	int fd[2];
	char c;
	pid_t pid;

	if (pipe(fd) < 0)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		bind_to(family, comm, fd[1]);
	close(fd[1]);
	if (read(fd[0], &c, 1) != 1)
		abort();
	close(fd[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_ports(void)
{
	char want[128];
	pid_t pid;

	look(check_ports, POOL);
	ok(finds_nothing(), "ports that nobody has are no finding");
	pid = daemon_called("charon", AF_INET);
	look(check_ports, POOL);
	snprintf(want, sizeof(want), "charon (process %d) holds UDP port 500\"", pid);
	ok(finds(want), "another daemon is named, with its number and port");
	look(check_ports, "[listen]\nisakmp =\nisakmp = 192.0.2.1:501\n"
			  "isakmp_natt =\nisakmp_natt = 192.0.2.1:4500\n" POOL);
	ok(finds_nothing(), "but not where the gateway takes other ports");
	look(check_ports, "[listen]\nisakmp =\nisakmp = 192.0.2.1:500\n" POOL);
	ok(finds(want), "all addresses collide with one of them");
	end(pid);
	pid = daemon_called("cha\x1b[2Jron", AF_INET6);
	look(check_ports, POOL);
	ok(finds("cha\\\\x1b[2Jron (process ") && finds(" holds UDP port 500 and 4500\""),
	   "a name is escaped, IPv6 is seen, and one process is one finding");
	end(pid);
	pid = daemon_called("vpngw", AF_INET6);
	look(check_ports, POOL);
	ok(finds_nothing(), "a gateway that runs is none");
	end(pid);
}

/* ---- network ---- */

static void test_network(void)
{
	sh("sysctl -q -w net.ipv4.ip_forward=1");
	look(check_network, POOL);
	ok(finds_nothing(), "a host that forwards and has nothing in the way: no finding");
	sh("sysctl -q -w net.ipv4.ip_forward=0");
	look(check_network, POOL);
	ok(finds("does not forward IPv4") && finds("sysctl -w net.ipv4.ip_forward=1"),
	   "forwarding that is off, and how to turn it on");
	sh("sysctl -q -w net.ipv4.ip_forward=1");

	sh("ip route add 10.99.99.16/28 via 192.0.2.9");
	look(check_network, POOL);
	ok(finds("[pool \\\"default\\\"] overlaps the route to 10.99.99.16/28 by lan"),
	   "a route to a part of the pool");
	sh("ip route del 10.99.99.16/28; ip route add 10.99.0.0/16 via 192.0.2.9");
	look(check_network, POOL);
	ok(finds_nothing(), "a wider one is no harm");
	sh("ip route del 10.99.0.0/16; ip addr add 10.99.99.200/24 dev lan");
	look(check_network, POOL);
	ok(finds("is in the network 10.99.99.0/24 of lan: hosts there look for clients by ARP"),
	   "a pool within a network of the host's");
	sh("sysctl -q -w net.ipv4.conf.lan.proxy_arp=1");
	look(check_network, POOL);
	ok(finds_nothing(), "is well where the host answers for them");
	sh("ip addr del 10.99.99.200/24 dev lan; ip addr add 10.99.99.7/32 dev lan");
	look(check_network, POOL);
	ok(finds("has 10.99.99.7, which is an address of this host (lan)"),
	   "an address of the host's own");
	sh("ip addr del 10.99.99.7/32 dev lan");
	sh("ip route add 10.99.99.0/26 dev lan");
	look(check_network, "[tunnel]\ninterface = lan\n" POOL);
	ok(finds_nothing(), "routes into the gateway's own interface are its own");
	sh("ip route del 10.99.99.0/26 dev lan");
}

static void test_rp_filter(void)
{
	sh("ip route add default via 198.51.100.1; ip route add default via 192.0.2.9 metric 50");
	look(check_network, POOL);
	ok(finds_nothing(), "two default routes");
	sh("sysctl -q -w net.ipv4.conf.lan.rp_filter=1");
	look(check_network, POOL);
	ok(finds("lan has a default route beside that of wan, and strict reverse path filtering"),
	   "with strict filtering on the second");
	sh("ip route del default via 192.0.2.9; sysctl -q -w net.ipv4.conf.lan.rp_filter=0; "
	   "sysctl -q -w net.ipv4.conf.wan.rp_filter=1; ip route add 10.99.0.0/16 via 192.0.2.9");
	look(check_network, POOL);
	ok(finds_nothing(), "strict filtering with an interface of the clients' own");
	look(check_network, "[tunnel]\ninterface = none\n" POOL);
	ok(finds("the route to it leads to lan, and with interface = none its packets come in by "
		 "wan"),
	   "and without one");
	sh("sysctl -q -w net.ipv4.conf.wan.rp_filter=2");
	look(check_network, "[tunnel]\ninterface = none\n" POOL);
	ok(finds_nothing(), "loose filtering is well");
}

/* ---- firewall ---- */

static void rules(const char *text)
{
	FILE *nft = popen("nft -f -", "w");

	if (!nft || fprintf(nft, "flush ruleset\n%s\n", text) < 0 || pclose(nft) != 0)
		printf("# nft does not take %s\n", text);
}

#define INPUT(rules)                                                           \
	"table inet filter {\nchain in {\ntype filter hook input priority 0\n" \
	"policy drop\n" rules "\n}\n}\n"

static void test_firewall(void)
{
	if (sh("nft list ruleset >/dev/null") != 0) {
		skip(1, "no nft here");
		return;
	}
	look(check_firewall, POOL);
	ok(finds_nothing(), "no rules, no hint");
	rules(INPUT("tcp dport { 22, 80-90 } accept"));
	look(check_firewall, POOL);
	ok(finds("chain in of table filter drops what no rule accepts, and none names UDP port "
		 "500\"") &&
		   finds("names UDP port 4500\""),
	   "rules that drop, and name neither port");
	ok(finds("nft add rule inet filter in udp dport 500 accept"), "and a rule that would");
	rules(INPUT("udp dport 500 accept"));
	look(check_firewall, POOL);
	ok(!strstr(found, "UDP port 500\"") && finds("names UDP port 4500\""), "one is missing");
	rules(INPUT("udp dport { 500, 4500 } accept"));
	look(check_firewall, POOL);
	ok(finds_nothing(), "both are named in a set");
	rules(INPUT("udp dport 1-5000 accept"));
	look(check_firewall, POOL);
	ok(finds_nothing(), "or lie in a range");
	rules("table ip f {\nchain through {\ntype filter hook forward priority 0\npolicy drop\n"
	      "iifname \"lan\" accept\n}\n}\n");
	look(check_firewall, POOL);
	ok(finds("chain through of table f drops what no rule accepts, and none names vpn0"),
	   "rules that let nobody through from vpn0");
	look(check_firewall, "[tunnel]\ninterface = lan\n" POOL);
	ok(finds_nothing(), "or do");
	rules("");
}

/* ---- kernel, and the rest ---- */

static void test_kernel(void)
{
	bool can = sh("ip xfrm state add src 192.0.2.77 dst 192.0.2.78 proto esp spi 0x1000 mode "
		      "tunnel enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff 2>/dev/null && "
		      "ip xfrm state flush") == 0;

	look(check_kernel, "[phase2]\nproposal =\nproposal = aes256-sha256\n"
			   "[tunnel]\ninterface = none\n" POOL);
	ok(can ? finds_nothing() : finds("[phase2] proposal = aes256-sha256: the kernel refuses"),
	   can ? "a kernel with ESP" : "a kernel without ESP");
	ok(sh("ip link show lan >/dev/null") == 0, "the process is back in its network");
}

static void test_host(void)
{
	struct findings *f = findings_new();
	size_t n;
	FILE *out;

	free(found);
	out = open_memstream(&found, &n);
	if (truncate(conf, 0) < 0 || !out)
		abort();
	is_int(check_host(conf, f), 0, "a host with a configuration that is not valid");
	findings_write(f, out);
	fclose(out);
	ok(finds("\"check\":\"configuration\",\"result\":\"error\"") &&
		   finds("network4 is not set"),
	   "is told what is wrong with it");
	ok(finds("\"check\":\"forwarding\",\"result\":\"good\"") &&
		   !strstr(found, "\"check\":\"certificate\""),
	   "and what can be looked at without one");
	findings_free(f);
}

int main(void)
{
	int fd = mkstemp(conf);

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		skip(1, "needs root for network namespaces");
		unlink(conf);
		return done();
	}
	if (fd < 0 || sh("ip -batch - <<E\nlink set lo up\nlink add lan type veth peer name x\n"
			 "link add wan type veth peer name y\naddr add 192.0.2.1/24 dev lan\n"
			 "addr add 198.51.100.2/24 dev wan\nlink set lan up\nlink set x up\n"
			 "link set wan up\nlink set y up\nE") != 0) {
		skip(1, "no network namespace with interfaces here");
		return done();
	}
	sh("for f in all default lan wan; do sysctl -q -w net.ipv4.conf.$f.rp_filter=0; done");
	close(fd);
	test_ports();
	test_network();
	test_host();
	test_rp_filter();
	test_firewall();
	test_kernel();
	unlink(conf);
	free(found);
	return done();
}
