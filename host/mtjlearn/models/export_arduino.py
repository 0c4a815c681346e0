"""A model as an Arduino sketch: a line of features comes in over the serial port, what they mean goes out."""

from __future__ import annotations

from mtjlearn.models.export_c import INFERENCE, c_header, inference_part
from mtjlearn.models.model import Model
from mtjlearn.models.names import input_list


def arduino_sketch(model: Model, name: str) -> dict[str, str]:
    """The files of the sketch's folder, which must have the sketch's name, by their names."""
    if model.classes is not None:
        result = f"  Serial.println({name}_classes[{name}_predict(features)]);"
    elif len(model.targets) == 1:
        result = f"  Serial.println({name}_predict(features), 6);"
    else:
        result = _TARGETS.format(name=name, upper=name.upper())
    sketch = _SKETCH.format(name=name, upper=name.upper(), inputs=input_list(model), result=result)
    return {f"{name}.ino": sketch, f"{name}.h": c_header(model, name), INFERENCE: inference_part()}


_TARGETS = """\
  float targets[{upper}_OUTPUTS];
  {name}_predict(features, targets);
  for (int i = 0; i < {upper}_OUTPUTS; i++) {{
    Serial.print(targets[i], 6);
    Serial.print(i + 1 < {upper}_OUTPUTS ? ',' : '\\n');
  }}"""
_SKETCH = """// Send the features of a sample over the serial port at 115,200 baud, separated by commas, in one line:
// {inputs}.
// The answer is what the network says of them. Features from sensors instead: fill the array and call {name}_predict().
#include "{name}.h"

void setup() {{
  Serial.begin(115200);
  Serial.setTimeout(5000);
}}

void loop() {{
  if (!Serial.available())
    return;
  float features[{upper}_INPUTS];
  for (int i = 0; i < {upper}_INPUTS; i++)
    features[i] = Serial.parseFloat();
  while (Serial.available() && Serial.read() != '\\n')
    ;
{result}
}}
"""
