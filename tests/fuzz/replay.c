/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* replay.c - feeds files to a fuzz target without a fuzzer, so `make check` replays the corpus. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t cap = 1 << 20, n;
		uint8_t *buf;

		if (!f) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		buf = malloc(cap);
		n = buf ? fread(buf, 1, cap, f) : 0;
		fclose(f);
		/* An exact copy, so that a read past the end is seen. */
		uint8_t *exact = malloc(n ? n : 1);

		if (!exact || !buf)
			return EXIT_FAILURE;
		for (size_t k = 0; k < n; k++)
			exact[k] = buf[k];
		free(buf);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
	return EXIT_SUCCESS;
}
