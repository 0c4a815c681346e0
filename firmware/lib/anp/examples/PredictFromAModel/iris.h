/* A network that was trained with mtjlearn, for C and C++; anp_inference.h next to it computes.
 *
 * network: 4-8-3, cross-entropy loss
 * data: iris
 * data digest: 530817624e6274527b1d3cc97b621f53131f93d8f934a1f6c34e3ea45ce5eaa0
 * seed: 0
 * run: 20261130-183937-train-iris-s0
 * rule: anp
 * steps: 12000
 * board: inprocess
 * build: dc466ef6
 *
 * The features, in the units of the data: "sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)".
 * iris_predict() says what they mean; iris_outputs() has the outputs of the network, equal to a board's to the last bit. */
#ifndef IRIS_H
#define IRIS_H

#include "anp_inference.h"

#define IRIS_INPUTS 4
#define IRIS_OUTPUTS 3

static const int16_t iris_weights_0[] ANP_IN_FLASH = {
    1884, -537, -3729, -2731, 5012, -3471, 767, 1951, 2179, 1398, 3313, -2899, 18, 6572, 839, -2670,
    1509, -1563, -3582, 183, 1693, -693, 1134, 1176, -159, -3491, -292, 1691, -1719, 267, -1315, 3072,
    -4748, -1098, 770, 3316, -493, 906, -656, -26
};
static const int16_t iris_weights_1[] ANP_IN_FLASH = {
    3063, -2548, -1890, 4771, -1819, 372, 4633, 2069, -3259, 7367, -1021, 10, -4825, 167, -740, -3286,
    -336, 8974, -11102, 1274, 11926, -2063, 1290, 214, 257, -1527, -4985
};
static const float iris_mean[IRIS_INPUTS] ANP_IN_FLASH = {5.85750008e+00f, 3.04916668e+00f, 3.75916672e+00f, 1.20749998e+00f};
static const float iris_factor[IRIS_INPUTS] ANP_IN_FLASH = {4.81069482e+03f, 9.20121973e+03f, 2.30008960e+03f, 5.36356445e+03f};

/* The outputs of the network, 4096 for 1. */
static inline void iris_outputs(const float features[IRIS_INPUTS], int16_t outputs[IRIS_OUTPUTS])
{
    int16_t one[8], other[8];
    anp_scale(features, iris_mean, iris_factor, one, 4);
    anp_layer(iris_weights_0, one, 4, other, 8);
    anp_leaky(other, 8, 7);
    anp_layer(iris_weights_1, other, 8, outputs, 3);
}

#define IRIS_CLASSES 3
static const char *const iris_classes[IRIS_CLASSES] = {"setosa", "versicolor", "virginica"};

/* The number of the class that fits the features best; its name is iris_classes[number]. */
static inline int iris_predict(const float features[IRIS_INPUTS])
{
    int16_t outputs[IRIS_OUTPUTS];
    iris_outputs(features, outputs);
    return anp_largest(outputs, IRIS_OUTPUTS);
}

#endif
