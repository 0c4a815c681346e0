/* A dataset in the nonvolatile memory, read sample by sample (shared/numerics.md, section 11). */
#ifndef DATASET_H
#define DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/* Whether it goes with the network and lies between the slots. */
bool dataset_fits(const struct device *device);

/* Bytes of its values and packed classes. */
size_t dataset_bytes(const struct device *device);

/* Where its first byte stands. */
uint16_t dataset_place(const struct device *device);

/* All its bytes came: whether its checksum and its classes are right, and it is complete. */
bool dataset_check(struct device *device);

/* Inputs and targets of a sample, as anp_train() takes them; target is x + inputs. */
void dataset_sample(const struct device *device, uint16_t index, int16_t *x, int16_t *target);

#endif
