/* A neural network learns XOR on the board, driven by nothing but noise at an analog pin.
 *
 * You need: any Arduino. Leave A0 open, or let it hang on a piece of wire: what it picks up is the noise. A better source is a Zener
 * diode, a noisy sensor or, as in the research behind this library, a magnetic tunnel junction.
 *
 * Open the serial monitor at 115200 baud and watch the error fall.
 *
 * How it learns: each step the network answers twice, each time with other noise on its units. Where the noise made the answer better,
 * the weights are moved with it; where it made it worse, against it. There is no backpropagation. */
#include <anp.h>

const int NOISE_PIN = A0;
const int CODES_PER_STEP = 16;   // fresh readings of the pin before each step
const int STEPS_PER_REPORT = 40;
const long PATIENCE = 5000;      // steps after which a bad start is given up

// All numbers are integers: 4096 stands for 1.0.
const int16_t ONE = 4096;

const int16_t INPUTS[4][2] = {{-ONE, -ONE}, {-ONE, ONE}, {ONE, -ONE}, {ONE, ONE}};
const int16_t TARGETS[4][1] = {{-ONE}, {ONE}, {ONE}, {-ONE}};

struct anp_network net;
struct anp_noise noise;
uint64_t memory[50];             // bytes for the network: 8 times this
uint32_t seed = 1;
bool learned = false;

void stop(const char *why) {
  Serial.println(why);
  while (true) {
  }
}

// A network with 2 inputs, 4 hidden units and 1 output, its weights drawn from the seed.
void start() {
  struct anp_config config = {};
  config.loss = ANP_SQUARED;
  config.weight_format = ANP_INT16;
  config.rounding = ANP_STOCHASTIC;
  config.normalised = true;                              // steps that cannot run away
  config.sigma = ONE / 32;                               // strength of the noise on a unit
  config.learning_rate = (1UL << ANP_RATE_BITS) / 10;    // 0.1
  config.seed = seed;
  config.layers = 2;
  config.sizes[0] = 2;
  config.sizes[1] = 4;
  config.sizes[2] = 1;
  if (anp_configure(&net, &config, memory, sizeof memory) != ANP_OK) {
    stop("The network does not fit into its memory: make that larger.");
  }
}

void readNoise(int codes) {
  for (int i = 0; i < codes; i++) {
    anp_noise_put(&noise, analogRead(NOISE_PIN));
  }
}

// Prints the four answers; true when each is closer than 0.1 to its target.
bool report(uint32_t loss) {
  bool good = true;
  Serial.print("step ");
  Serial.print(net.steps);
  Serial.print(", mean loss ");
  Serial.print(loss / float(1UL << ANP_LOSS_BITS), 4);
  Serial.print(", answers");
  for (int i = 0; i < 4; i++) {
    int16_t answer[1];
    anp_predict(&net, INPUTS[i], answer);
    Serial.print(' ');
    Serial.print(answer[0] / float(ONE));
    good = good && abs(answer[0] - TARGETS[i][0]) < ONE / 10;
  }
  Serial.println();
  return good;
}

void setup() {
  Serial.begin(115200);
  anp_noise_init(&noise);
  readNoise(ANP_NOISE_BUFFER);
  start();
  if (!anp_noise_calibrate(&noise, net.config.sigma, 0)) {
    stop("There is no noise at A0: leave it open or connect a source of noise, then press reset.");
  }
  Serial.println("Learning -1 XOR 1 = 1, the four answers should become -1 1 1 -1.");
}

void loop() {
  if (learned) {
    return;
  }
  uint32_t losses = 0;
  for (int i = 0; i < STEPS_PER_REPORT; i++) {
    readNoise(CODES_PER_STEP);
    int which = i % 4;
    losses += anp_train(&net, &noise, INPUTS[which], TARGETS[which]) / STEPS_PER_REPORT;
  }
  learned = report(losses);
  if (learned) {
    Serial.println("Learned. Press reset to see it again.");
  } else if (net.steps >= PATIENCE) {
    Serial.println("A bad start: once more with other weights.");
    seed++;
    start();
  }
}
