/* Online steps of ANP and DANP in double, for replicas that learn independently: what host/mtjlearn/reference computes in NumPy,
 * whose equations are the specification, without a call for each operation. host/mtjlearn/reference/compiled.py loads it. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reference_layer {
    double *weights; /* (replicas, units, inputs + 1), the bias last */
    double *matrix;  /* (replicas, inputs, inputs), or NULL: the layer's input is not decorrelated */
    int64_t inputs, units;
};

struct reference {
    const struct reference_layer *layers;
    int64_t layer_count, replicas;
    int32_t cross_entropy, normalised;
    double slope, rate, decorrelation_rate;
};

struct reference_data {
    const double *x;        /* (samples, x_replicas, inputs) */
    const double *targets;  /* (samples, target_replicas, outputs), for the squared loss */
    const int64_t *classes; /* (samples, target_replicas), for cross-entropy */
    const double *noise;    /* (samples, replicas, 2, units of all layers) */
    int64_t samples, x_replicas, target_replicas;
};

/* What two passes of a replica leave behind: of each layer its inputs in both passes with the bias's 1 last, one after the other. */
struct passes {
    double *inputs;
    double *one, *other;      /* activities of all units */
    double *signal1, *signal2; /* a layer's input before decorrelation */
    double *u;                /* R^T xbar */
    int64_t units;
};

/* What is below a power of two by less than this share of itself, or above it, is that power: sums of squares such as those of inputs
 * of -1 and 1 hit powers of two, and their order must not decide which. The same in rules.py. */
static const double SLACK = 1 - 0x1p-40;

static int64_t widest(const struct reference *net)
{
    int64_t width = 0;
    for (int64_t l = 0; l < net->layer_count; l++) {
        width = net->layers[l].inputs > width ? net->layers[l].inputs : width;
        width = net->layers[l].units > width ? net->layers[l].units : width;
    }
    return width;
}

/* Doubles that reference_train() works in. */
int64_t reference_scratch(const struct reference *net)
{
    int64_t size = 3 * widest(net);
    for (int64_t l = 0; l < net->layer_count; l++)
        size += 2 * (net->layers[l].inputs + 1) + 2 * net->layers[l].units;
    return size;
}

static struct passes divide(const struct reference *net, double *scratch)
{
    struct passes run = {.inputs = scratch};
    int64_t width = widest(net);
    for (int64_t l = 0; l < net->layer_count; l++) {
        scratch += 2 * (net->layers[l].inputs + 1);
        run.units += net->layers[l].units;
    }
    run.one = scratch;
    run.other = run.one + run.units;
    run.signal1 = run.other + run.units;
    run.signal2 = run.signal1 + width;
    run.u = run.signal2 + width;
    return run;
}

/* Four sums side by side, which a compiler may put into one register; their order is the same on every machine. */
static double product(const double *row, const double *x, int64_t count)
{
    double sums[4] = {0};
    int64_t j = 0;
    for (; j + 4 <= count; j += 4)
        for (int k = 0; k < 4; k++)
            sums[k] += row[j + k] * x[j + k];
    double rest = 0;
    for (; j < count; j++)
        rest += row[j] * x[j];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest;
}

static void products(const double *rows, int64_t count, const double *x, int64_t columns, double *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = product(rows + i * columns, x, columns);
}

static void rectify(const double *a, double slope, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = a[i] >= 0 ? a[i] : slope * a[i];
}

/* A layer's input with the bias's 1, decorrelated if it has a matrix. */
static void extend(const double *signal, const double *matrix, int64_t inputs, double *out)
{
    if (matrix)
        products(matrix, inputs, signal, inputs, out);
    else
        memcpy(out, signal, (size_t)inputs * sizeof *out);
    out[inputs] = 1;
}

/* Both passes (eq. 2). The first layer has the same input and the same product in both. */
static void forward(const struct reference *net, int64_t replica, const double *x, const double *noise, const struct passes *run)
{
    double *inputs = run->inputs, *one = run->one, *other = run->other;
    for (int64_t l = 0; l < net->layer_count; l++) {
        const struct reference_layer *layer = &net->layers[l];
        int64_t n = layer->inputs, columns = n + 1;
        const double *weights = layer->weights + replica * layer->units * columns;
        const double *matrix = layer->matrix ? layer->matrix + replica * n * n : NULL;
        extend(l ? run->signal1 : x, matrix, n, inputs);
        products(weights, layer->units, inputs, columns, one);
        if (l) {
            extend(run->signal2, matrix, n, inputs + columns);
            products(weights, layer->units, inputs + columns, columns, other);
        } else {
            memcpy(other, one, (size_t)layer->units * sizeof *one);
        }
        for (int64_t i = 0; i < layer->units; i++) {
            one[i] += noise[i];
            other[i] += noise[run->units + i];
        }
        rectify(one, net->slope, layer->units, run->signal1);
        rectify(other, net->slope, layer->units, run->signal2);
        inputs += 2 * columns;
        one += layer->units;
        other += layer->units;
        noise += layer->units;
    }
}

static double squared_loss(const double *outputs, const double *targets, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (outputs[i] - targets[i]) * (outputs[i] - targets[i]);
    return sum;
}

static double cross_entropy(const double *outputs, int64_t class, int64_t count)
{
    double largest = outputs[0], sum = 0;
    for (int64_t i = 1; i < count; i++)
        largest = outputs[i] > largest ? outputs[i] : largest;
    for (int64_t i = 0; i < count; i++)
        sum += exp(outputs[i] - largest);
    return log(sum) - (outputs[class] - largest);
}

/* The smallest power of two >= 1 + ||x||^2; the bias's 1 is among the inputs (shared/numerics.md, section 7). */
static double step_divisor(const double *inputs, int64_t count)
{
    int exponent;
    double mantissa = frexp(product(inputs, inputs, count) * SLACK, &exponent);
    return ldexp(1, exponent - (mantissa == 0.5));
}

/* W <- W - eta N dL da x^T / ||da||^2 (eq. 4), with the input of pass 1; `factor` is N dL / ||da||^2. */
static void update_weights(const struct reference *net, int64_t replica, const struct passes *run, double factor)
{
    const double *inputs = run->inputs, *one = run->one, *other = run->other;
    for (int64_t l = 0; l < net->layer_count; l++) {
        const struct reference_layer *layer = &net->layers[l];
        int64_t columns = layer->inputs + 1;
        double divisor = net->normalised ? step_divisor(inputs, columns) : 1;
        double *row = layer->weights + replica * layer->units * columns;
        for (int64_t i = 0; i < layer->units; i++, row += columns) {
            double signal = (one[i] - other[i]) * factor / divisor;
            for (int64_t j = 0; j < columns; j++)
                row[j] -= signal * inputs[j] * net->rate;
        }
        inputs += 2 * columns;
        one += layer->units;
        other += layer->units;
    }
}

/* R <- R - eps (xbar xbar^T - diag(xbar^2)) R, by u = R^T xbar as decorrelation.py. */
static void update_matrix(double *matrix, const double *xbar, int64_t n, double rate, double *u)
{
    memset(u, 0, (size_t)n * sizeof *u);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            u[j] += matrix[i * n + j] * xbar[i];
    for (int64_t i = 0; i < n; i++, matrix += n) {
        double square = xbar[i] * xbar[i];
        for (int64_t j = 0; j < n; j++)
            matrix[j] -= (xbar[i] * u[j] - square * matrix[j]) * rate;
    }
}

static double loss_of(const struct reference *net, const struct reference_data *data, int64_t row, const double *outputs)
{
    int64_t count = net->layers[net->layer_count - 1].units;
    return net->cross_entropy ? cross_entropy(outputs, data->classes[row], count)
                              : squared_loss(outputs, data->targets + row * count, count);
}

/* One step; the loss of pass 1. Equal noise, da = 0 and dL = 0 change no weight. */
static double step(const struct reference *net, const struct reference_data *data, int64_t replica, int64_t sample,
                   const struct passes *run, bool *skipped)
{
    int64_t inputs = net->layers[0].inputs, outputs = run->units - net->layers[net->layer_count - 1].units;
    const double *x = data->x + (sample * data->x_replicas + replica % data->x_replicas) * inputs;
    const double *noise = data->noise + (sample * net->replicas + replica) * 2 * run->units;
    int64_t row = sample * data->target_replicas + replica % data->target_replicas;
    forward(net, replica, x, noise, run);
    double loss = loss_of(net, data, row, run->one + outputs);
    double difference = loss - loss_of(net, data, row, run->other + outputs);
    double square = 0;
    bool equal = true;
    for (int64_t i = 0; i < run->units; i++) {
        square += (run->one[i] - run->other[i]) * (run->one[i] - run->other[i]);
        equal = equal && noise[i] == noise[run->units + i];
    }
    *skipped = equal || square == 0 || difference == 0;
    if (!*skipped)
        update_weights(net, replica, run, (double)run->units * difference / square);
    const double *xbar = run->inputs;
    for (int64_t l = 0; l < net->layer_count; l++) {
        int64_t n = net->layers[l].inputs;
        if (net->layers[l].matrix)
            update_matrix(net->layers[l].matrix + replica * n * n, xbar, n, net->decorrelation_rate, run->u);
        xbar += 2 * (n + 1);
    }
    return loss;
}

/* Trains on all samples in order; adds to losses, (replicas), the loss of each step, and to skipped, (replicas), steps without an
 * update. */
void reference_train(const struct reference *net, const struct reference_data *data, double *scratch, double *losses,
                     int64_t *skipped)
{
    struct passes run = divide(net, scratch);
    for (int64_t replica = 0; replica < net->replicas; replica++)
        for (int64_t sample = 0; sample < data->samples; sample++) {
            bool skips;
            losses[replica] += step(net, data, replica, sample, &run, &skips);
            skipped[replica] += skips;
        }
}
