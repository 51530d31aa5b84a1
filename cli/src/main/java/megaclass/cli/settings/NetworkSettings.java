// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static megaclass.cli.settings.Question.HOW;
import static megaclass.cli.settings.Question.WITH_WHAT;

import java.util.Arrays;
import java.util.Optional;
import megaclass.backbone.NetworkOptimizer;
import megaclass.backbone.NetworkTraining;
import megaclass.backbone.NetworkTraining.Precision;
import megaclass.cli.settings.Setting.Form;
import megaclass.image.Augmentation;
import megaclass.internal.SpecText;
import megaclass.optim.LearningRate;

/** The settings of how a network of layers is trained; other backbones do not heed them. */
final class NetworkSettings {
  private static final String SAME = "same";
  private static final String OFF = "off";

  static final Setting<NetworkOptimizer> OPTIMIZER =
      Setting.of("backbone.optimizer", "--backbone-optimizer", Form.TEXT, NetworkOptimizer::parse)
          .in(HOW, "SPEC")
          .by("sgd(momentum=0.9, decay=5e-4)")
          .allowed("sgd(...), adam(...)")
          .about("how the parameters of a network move; decay leaves biases and norms out")
          .into((config, spec) -> config.withNetwork(config.network().withOptimizer(spec)));

  static final Setting<Optional<LearningRate>> SCHEDULE =
      Setting.of("backbone.schedule", "--backbone-schedule", Form.TEXT, NetworkSettings::schedule)
          .in(HOW, "SPEC")
          .by(SAME)
          .allowed("same, or a schedule as in optim.schedule")
          .about("factor on the learning rate of the backbone; same: as on that of the classes")
          .writtenWith(rate -> rate.map(String::valueOf).orElse(SAME))
          .into((config, rate) -> config.withBackboneSchedule(rate.orElse(null)));

  static final Setting<Double> CLIP =
      Setting.of("backbone.clip", "--backbone-clip", Form.TEXT, NetworkSettings::clip)
          .in(HOW, "LENGTH")
          .by(OFF)
          .allowed("off, or a number above 0")
          .about("length that the gradient by all parameters of a network is cut to")
          .writtenWith(clip -> clip == NetworkTraining.NO_CLIP ? OFF : SpecText.text(clip))
          .into((config, clip) -> config.withNetwork(config.network().withClip(clip)));

  static final Setting<Precision> PRECISION =
      Setting.of(
              "backbone.precision", "--backbone-precision", Form.TEXT, NetworkSettings::precision)
          .in(WITH_WHAT, "FORMAT")
          .by("fp32")
          .allowed("fp32, bf16")
          .about("what the layers of a network compute in; bf16 pays where the processor has it")
          .writtenWith(SpecText::text)
          .into((config, spec) -> config.withNetwork(config.network().withPrecision(spec)));

  static final Setting<Augmentation> AUGMENT =
      Setting.of("backbone.augment", "--augment", Form.TEXT, Augmentation::parse)
          .in(HOW, "SPEC")
          .by("none")
          .allowed("none, augment(...)")
          .about("how images are changed at random before each step of a network")
          .into((config, spec) -> config.withNetwork(config.network().withAugmentation(spec)));

  private NetworkSettings() {}

  private static Optional<LearningRate> schedule(String text) {
    return text.equals(SAME) ? Optional.empty() : Optional.of(LearningRate.parse(text));
  }

  private static Double clip(String text) {
    return text.equals(OFF) ? Double.valueOf(NetworkTraining.NO_CLIP) : Setting.parseDouble(text);
  }

  private static Precision precision(String text) {
    return Arrays.stream(Precision.values())
        .filter(precision -> SpecText.text(precision).equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "precision must be fp32 or bf16, but was \"%s\"".formatted(text)));
  }
}
