/* A neural network learns what a good sensor says from two cheap ones, while they all run.
 *
 * You need: two sensors at A1 and A2 (say two thermistors or two photo resistors, each in a voltage divider) and at A3 the sensor that
 * is to be learned. Leave A0 open: its noise drives the learning. Without sensors try three potentiometers.
 *
 * Open the serial monitor, or the serial plotter, at 115200 baud. Every line shows what the sensor at A3 says, what the network
 * believes, and the error that remains. When it is small enough, send the letter p: from then on the network only predicts, and the
 * sensor at A3 may be unplugged. Send l to learn on.
 *
 * How it learns: see the example XorFromNoise. This is online learning: every measurement is used once and then forgotten. */
#include <anp.h>

const int NOISE_PIN = A0;
const int FIRST_INPUT = A1;
const int SECOND_INPUT = A2;
const int SENSOR = A3;
const int CODES_PER_STEP = 16;
const int STEPS_PER_REPORT = 100;

// All numbers are integers: 4096 stands for 1.0.
const int16_t ONE = 4096;

struct anp_network net;
struct anp_noise noise;
uint64_t memory[50];             // bytes for the network: 8 times this
bool learning = true;

void stop(const char *why) {
  Serial.println(why);
  while (true) {
  }
}

// A reading of 0 .. 1023 as -1.0 .. 1.0: networks learn best from numbers around 0.
int16_t measure(int pin) {
  return (analogRead(pin) - 512) * (ONE / 512);
}

float volts(int16_t value) {
  return (value / float(ONE) + 1.0) * 2.5;
}

void readNoise(int codes) {
  for (int i = 0; i < codes; i++) {
    anp_noise_put(&noise, analogRead(NOISE_PIN));
  }
}

void setup() {
  Serial.begin(115200);
  struct anp_config config = {};
  config.loss = ANP_SQUARED;
  config.weight_format = ANP_INT16;
  config.rounding = ANP_STOCHASTIC;
  config.normalised = true;                              // steps that cannot run away
  config.sigma = ONE / 32;                               // strength of the noise on a unit
  config.learning_rate = (1UL << ANP_RATE_BITS) / 16;    // 1/16
  config.seed = 1;                                       // another seed, other first weights
  config.layers = 2;
  config.sizes[0] = 2;                                   // inputs
  config.sizes[1] = 5;                                   // hidden units
  config.sizes[2] = 1;                                   // output
  if (anp_configure(&net, &config, memory, sizeof memory) != ANP_OK) {
    stop("The network does not fit into its memory: make that larger.");
  }
  anp_noise_init(&noise);
  readNoise(ANP_NOISE_BUFFER);
  if (!anp_noise_calibrate(&noise, config.sigma, 0)) {
    stop("There is no noise at A0: leave it open or connect a source of noise, then press reset.");
  }
}

void loop() {
  int16_t inputs[2], sensor[1], predicted[1];
  uint32_t losses = 0;
  for (int i = 0; i < STEPS_PER_REPORT; i++) {
    readNoise(CODES_PER_STEP);
    inputs[0] = measure(FIRST_INPUT);
    inputs[1] = measure(SECOND_INPUT);
    sensor[0] = measure(SENSOR);
    if (learning) {
      losses += anp_train(&net, &noise, inputs, sensor) / STEPS_PER_REPORT;
    } else {
      bool ignored;
      losses += anp_evaluate(&net, inputs, sensor, &ignored) / STEPS_PER_REPORT;
    }
  }
  anp_predict(&net, inputs, predicted);
  Serial.print("sensor:");
  Serial.print(volts(sensor[0]));
  Serial.print("\tpredicted:");
  Serial.print(volts(predicted[0]));
  Serial.print("\terror:");
  Serial.println(2.5 * sqrt(losses / float(1UL << ANP_LOSS_BITS)), 3);

  switch (Serial.read()) {
    case 'p': learning = false; break;
    case 'l': learning = true; break;
  }
}
