/* A network that was trained on a computer predicts on the board: which iris has these leaves?
 *
 * You need: any Arduino. Open the serial monitor at 115200 baud, choose "Newline", and send four lengths in cm, separated by commas:
 * sepal length, sepal width, petal length, petal width. Try 5.1,3.5,1.4,0.2 or 6.7,3.0,5.2,2.3.
 *
 * iris.h is what `mtjlearn train iris --board inprocess` learned and `mtjlearn export RUN --to c --name iris` wrote. It has the
 * weights, the scaling of the features and the names of the classes; for a network of yours, put its header in the place of iris.h. It
 * includes anp_inference.h of this library and nothing else: no learner, no noise. The answer equals the computer's, bit for bit. */
#include "iris.h"

void setup() {
  Serial.begin(115200);
  Serial.setTimeout(5000);
  Serial.println("Sepal length, sepal width, petal length, petal width in cm?");
}

void loop() {
  if (!Serial.available()) {
    return;
  }
  float features[IRIS_INPUTS];
  for (int i = 0; i < IRIS_INPUTS; i++) {
    features[i] = Serial.parseFloat();
  }
  while (Serial.available() && Serial.read() != '\n') {
  }

  int16_t outputs[IRIS_OUTPUTS];           // 4096 stands for 1.0
  unsigned long begun = micros();
  iris_outputs(features, outputs);
  unsigned long took = micros() - begun;

  int best = anp_largest(outputs, IRIS_OUTPUTS);
  Serial.print(iris_classes[best]);
  Serial.print(", scores");
  for (int i = 0; i < IRIS_OUTPUTS; i++) {
    Serial.print(' ');
    Serial.print(outputs[i]);
  }
  Serial.print(", ");
  Serial.print(took);
  Serial.println(" us");
}
