// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.train.TrainConfig;
import megaclass.train.Trainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks without a library that trains them: none is on the path of these tests. */
class NetworksTest {
  private static final ImageShape SHAPE = new ImageShape(1, 8, 8);

  private static Dataset images() {
    return Dataset.ofImages(SHAPE, new byte[2][SHAPE.size()], new String[] {"a", "b"});
  }

  private static String failure(String backbone, Dataset data) {
    var config = TrainConfig.defaults().withBackbone(BackboneSpec.parse(backbone));
    var e =
        assertThrows(IllegalArgumentException.class, () -> new Trainer(config).fit(data, _ -> {}));
    return String.valueOf(e.getMessage());
  }

  @Test
  void itIsSaidHowToGetTheLibrary() {
    try (var data = images()) {
      assertEquals(
          "backbone smallnet(width=32, dropout=0) needs LibTorch, which is not installed; this gets"
              + " it, once (110 MB): megaclass install torch. Java programs put the module"
              + " megaclass-torch on their path",
          failure("smallnet", data));
    }
  }

  @Test
  void dataThatIsNoImagesIsRefused() {
    try (var texts = Dataset.of(new String[] {"x", "y"}, new String[] {"a", "b"})) {
      assertEquals(
          "backbone hynet(dropout=0.5) needs images, but data in memory holds text; take a bag, as"
              + " in bag(chars=2-5)",
          failure("hynet", texts));
    }
  }

  @Test
  void imagesForAnotherBackboneAreRefused() {
    try (var data = images()) {
      assertEquals(
          "backbone frozen needs dense rows, but data in memory holds images; take a network, as in"
              + " smallnet",
          failure("frozen", data));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smallnet(width=16, dropout=0.2)",
        "resnet(depth=101, dropout=0)",
        "iresnet(depth=100, dropout=0.4)",
        "hynet(dropout=0.5)",
        "torchscript(nets/encoder.pt)"
      })
  void aNetworkReadsBackAsItIsWritten(String text) {
    assertEquals(text, BackboneSpec.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(momentum=0.8, nesterov=true, decay=1e-3)",
        "adam(beta1=0.8, beta2=0.9, epsilon=0.1, decay=0.2)"
      })
  void anOptimizerReadsBackAsItIsWritten(String text) {
    assertEquals(text.replace("1e-3", "0.001"), NetworkOptimizer.parse(text).toString());
  }

  @Test
  void depthsThatThereAreNotAreRefused() {
    var e =
        assertThrows(IllegalArgumentException.class, () -> BackboneSpec.parse("resnet(depth=20)"));
    assertEquals(
        "cannot read backbone \"resnet(depth=20)\": depth must be one of [18, 34, 50, 101], but was"
            + " 20; expected",
        String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
  }
}
