/* A neural network learns how a sensor behaves, and from then on reports when it behaves otherwise.
 *
 * You need: a sensor of something that repeats at A1, e.g. an accelerometer or a microphone at a motor, a current sensor at a pump, or a
 * pulse sensor. Leave A0 open: its noise drives the learning.
 *
 * Nobody says what is normal. The network predicts each reading from the four before it; where it is much worse at that than it used to
 * be, something is new. Keep things normal for the first five seconds. The LED of the board is on during an anomaly, and the serial
 * monitor, at 115200 baud, says when one begins and ends. The network learns as long as all is normal, so it follows slow changes. If
 * the new behaviour is to become the normal one, press reset.
 *
 * How it learns: see the example XorFromNoise. */
#include <anp.h>

const int NOISE_PIN = A0;
const int SENSOR = A1;
const unsigned long PERIOD = 10000;   // microseconds from reading to reading: about twenty for one repetition of what you watch
const int PAST = 4;                   // readings that the network sees
const int CODES_PER_STEP = 16;
const unsigned long LESSONS = 500;    // readings until it reports anything
const int REPORT = 500;               // readings from report to report

const int16_t ONE = 4096;             // all numbers are integers: 4096 stands for 1.0

struct anp_network net;
struct anp_noise noise;
uint64_t memory[50];                  // bytes for the network: 8 times this
int16_t past[PAST];                   // the oldest first
float usual = 0, recent = 0;          // means of the squared error: of what is normal, and of the last few readings
bool anomaly = false;
unsigned long readings = 0, next = 0;

void stop(const char *why) {
  Serial.println(why);
  while (true) {
  }
}

void readNoise(int codes) {
  for (int i = 0; i < codes; i++) {
    anp_noise_put(&noise, analogRead(NOISE_PIN));
  }
}

// 0 .. 1023 as -1.0 .. 1.0
int16_t measure() {
  return (analogRead(SENSOR) - 512) * (ONE / 512);
}

// The squared error of the prediction; losses have 24 bits behind the point.
float squaredError(const int16_t *reading) {
  bool ignored;
  return anp_evaluate(&net, past, reading, &ignored) / float(1UL << ANP_LOSS_BITS);
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  struct anp_config config = {};
  config.loss = ANP_SQUARED;
  config.weight_format = ANP_INT16;
  config.rounding = ANP_STOCHASTIC;
  config.normalised = true;
  config.sigma = ONE / 32;
  config.learning_rate = (1UL << ANP_RATE_BITS) / 16;
  config.seed = 1;
  config.layers = 2;
  config.sizes[0] = PAST;
  config.sizes[1] = 6;                // hidden units
  config.sizes[2] = 1;                // the next reading
  if (anp_configure(&net, &config, memory, sizeof memory) != ANP_OK) {
    stop("The network does not fit into its memory: make that larger.");
  }
  anp_noise_init(&noise);
  readNoise(ANP_NOISE_BUFFER);
  if (!anp_noise_calibrate(&noise, config.sigma, 0)) {
    stop("There is no noise at A0: leave it open or connect a source of noise, then press reset.");
  }
  for (int i = 0; i < PAST; i++) {
    past[i] = measure();
  }
  Serial.println("Learning what is normal.");
  next = micros();
}

void loop() {
  while ((long)(micros() - next) < 0) {
  }
  next += PERIOD;
  int16_t reading[1] = {measure()};
  float error = squaredError(reading);
  readings++;
  recent += (error - recent) / 8;
  if (!anomaly) {
    readNoise(CODES_PER_STEP);
    // A reading that is far off may be the first one of an anomaly, and teaches nothing.
    if (readings <= LESSONS || error < 9 * usual) {
      anp_train(&net, &noise, past, reading);
    }
    usual += (recent - usual) / 200;
  }
  for (int i = 1; i < PAST; i++) {
    past[i - 1] = past[i];
  }
  past[PAST - 1] = reading[0];

  if (readings == LESSONS) {
    usual = recent;
    Serial.println("Watching.");
  }
  if (readings > LESSONS && anomaly != (recent > (anomaly ? 3 : 9) * usual)) {
    anomaly = !anomaly;
    digitalWrite(LED_BUILTIN, anomaly);
    Serial.println(anomaly ? "Anomaly!" : "Normal again.");
  }
  if (readings % REPORT == 0) {
    Serial.print("error:");
    Serial.print(2.5 * sqrt(recent), 3);
    Serial.print("\tusual:");
    Serial.println(2.5 * sqrt(usual), 3);
  }
}
