/* A neural network learns to replace a sensor that needs much power, keeps what it has learned, and then sleeps most of the time.
 *
 * You need: two frugal sensors at A1 and A2, and at A3 the one to be replaced, which pin 4 supplies or switches. Leave A0 open: its
 * noise drives the learning. Without sensors try three potentiometers.
 *
 * Learning ends when the error of the last 2,000 readings is below GOOD_ENOUGH; the serial monitor, at 115200 baud, shows it. The weights
 * then go to the EEPROM, and pin 4 switches the sensor off. From then on the board sleeps; every eight seconds it wakes up, measures
 * and predicts, which takes milliseconds. After a reset it continues to predict. To learn again, connect pin 2 to ground and reset.
 *
 * How it learns: see the example XorFromNoise. Boards that are not AVRs wait instead of sleeping, and forget at a reset. */
#include <anp.h>

#ifdef __AVR__
#include <avr/eeprom.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/crc16.h>
#endif

const int NOISE_PIN = A0;
const int FIRST_INPUT = A1;
const int SECOND_INPUT = A2;
const int SENSOR = A3;
const int FORGET = 2;
const int SENSOR_POWER = 4;
const int CODES_PER_STEP = 16;
const int STEPS_PER_REPORT = 2000;
const float GOOD_ENOUGH = 0.25;       // volts

const int16_t ONE = 4096;             // all numbers are integers: 4096 stands for 1.0

struct anp_network net;
struct anp_noise noise;
uint64_t memory[50];                  // bytes for the network: 8 times this
bool learned = false;

void stop(const char *why) {
  Serial.println(why);
  while (true) {
  }
}

#ifdef __AVR__
// In the EEPROM: the weights' checksum, then the weights. The checksum is written last, so that half a network is none.
uint16_t checksum() {
  uint16_t sum = 0xffff;
  for (size_t i = 0; i < net.at.weights_bytes; i++) {
    sum = _crc16_update(sum, net.at.weights[i]);
  }
  return sum;
}

void keep() {
  eeprom_update_word((uint16_t *)0, ~eeprom_read_word((uint16_t *)0));
  eeprom_update_block(net.at.weights, (void *)2, net.at.weights_bytes);
  eeprom_update_word((uint16_t *)0, checksum());
}

bool remember() {
  eeprom_read_block(net.at.weights, (const void *)2, net.at.weights_bytes);
  return eeprom_read_word((const uint16_t *)0) == checksum();
}

volatile bool slept;

ISR(WDT_vect) {
  slept = true;
}

void rest() {
  Serial.flush();
  byte converter = ADCSRA;
  ADCSRA = 0;                         // an idle converter needs more than the sleeping chip
  noInterrupts();
  slept = false;
  wdt_reset();
  MCUSR &= ~_BV(WDRF);
  WDTCSR = _BV(WDCE) | _BV(WDE);
  WDTCSR = _BV(WDIE) | _BV(WDP3) | _BV(WDP0);   // an interrupt after 8 s
  interrupts();
  set_sleep_mode(SLEEP_MODE_PWR_DOWN);
  while (!slept) {
    sleep_mode();
  }
  wdt_disable();
  ADCSRA = converter;
}
#else
void keep() {}
bool remember() { return false; }
void rest() { delay(8000); }
#endif

// 0 .. 1023 as -1.0 .. 1.0
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

void configure() {
  struct anp_config config = {};
  config.loss = ANP_SQUARED;
  config.weight_format = ANP_INT16;
  config.rounding = ANP_STOCHASTIC;
  config.normalised = true;
  config.sigma = ONE / 32;
  config.learning_rate = (1UL << ANP_RATE_BITS) / 32;
  config.seed = 1;
  config.layers = 2;
  config.sizes[0] = 2;                // inputs
  config.sizes[1] = 6;                // hidden units
  config.sizes[2] = 1;                // output
  if (anp_configure(&net, &config, memory, sizeof memory) != ANP_OK) {
    stop("The network does not fit into its memory: make that larger.");
  }
}

void setup() {
  Serial.begin(115200);
  pinMode(FORGET, INPUT_PULLUP);
  pinMode(SENSOR_POWER, OUTPUT);
  configure();
  learned = digitalRead(FORGET) == HIGH && remember();
  if (learned) {
    Serial.println("Learned before.");
    return;
  }
  configure();                        // what was remembered is not used
  digitalWrite(SENSOR_POWER, HIGH);
  anp_noise_init(&noise);
  readNoise(ANP_NOISE_BUFFER);
  if (!anp_noise_calibrate(&noise, net.config.sigma, 0)) {
    stop("There is no noise at A0: leave it open or connect a source of noise, then press reset.");
  }
  Serial.println("Learning.");
}

void learn() {
  int16_t inputs[2], sensor[1];
  float losses = 0;
  for (int i = 0; i < STEPS_PER_REPORT; i++) {
    readNoise(CODES_PER_STEP);
    inputs[0] = measure(FIRST_INPUT);
    inputs[1] = measure(SECOND_INPUT);
    sensor[0] = measure(SENSOR);
    losses += anp_train(&net, &noise, inputs, sensor) / float(1UL << ANP_LOSS_BITS);
  }
  float error = 2.5 * sqrt(losses / STEPS_PER_REPORT);
  Serial.print("error:");
  Serial.println(error, 3);
  if (error < GOOD_ENOUGH) {
    keep();
    digitalWrite(SENSOR_POWER, LOW);
    learned = true;
    Serial.println("Learned.");
  }
}

void loop() {
  if (!learned) {
    learn();
    return;
  }
  int16_t inputs[2] = {measure(FIRST_INPUT), measure(SECOND_INPUT)}, predicted[1];
  anp_predict(&net, inputs, predicted);
  Serial.print("predicted:");
  Serial.println(volts(predicted[0]));
  rest();
}
