// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.Embeddings;
import megaclass.backbone.NetworkOptimizer;
import megaclass.backbone.NetworkProvider.Problem;
import megaclass.backbone.NetworkTraining;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.data.MiniBatch;
import megaclass.image.Augmentation;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchBackboneTest {
  private static final int DIM = 5;
  private static final int BATCH = 6;

  private static Engine engine;
  private static Dataset data;

  @BeforeAll
  static void open() {
    engine = Engine.start("auto", 2);
    data = DrawnImages.of(10, 0, 3);
  }

  @AfterAll
  static void close() {
    data.close();
    engine.close();
  }

  private static TorchBackbone backbone(String spec, @Nullable NetworkTraining training) {
    var network = (BackboneSpec.Network) BackboneSpec.parse(spec);
    var problem = new Problem(network, DIM, DrawnImages.SHAPE, BATCH, training, 11, 2);
    return (TorchBackbone) new TorchProvider().open(problem);
  }

  private static NetworkTraining still() {
    return NetworkTraining.defaults().withOptimizer(new NetworkOptimizer.Sgd(0, false, 0));
  }

  private static Embeddings embeddings() {
    return new Embeddings(BATCH, new Embeddings.Shape(DIM, false, true), engine);
  }

  private static float[][] embed(TorchBackbone backbone, MiniBatch batch, boolean training) {
    try (var into = embeddings()) {
      embed(backbone, batch, training, into);
      return rows(into);
    }
  }

  private static void embed(
      TorchBackbone backbone, MiniBatch batch, boolean training, Embeddings into) {
    if (training) {
      backbone.beginStep(0);
    }
    backbone.read(batch, training);
    into.begin(batch.size());
    backbone.forward(into);
  }

  private static float[][] rows(Embeddings from) {
    var rows = new float[from.size()][DIM];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < DIM; j++) {
        rows[i][j] = from.get(i, j);
      }
    }
    return rows;
  }

  private static MemorySegment gradientRow(Embeddings of, int sample) {
    return MemorySegment.ofAddress(of.gradientRow(sample)).reinterpret(4L * DIM);
  }

  /** The sum of c e over all values e of the embeddings, whose gradient is c. */
  private static double value(float[][] rows, double[][] c) {
    double sum = 0;
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < DIM; j++) {
        sum += c[i][j] * rows[i][j];
      }
    }
    return sum;
  }

  /** Along a random direction through all parameters, at once. */
  @ParameterizedTest
  @ValueSource(strings = {"smallnet(width=4)", "smallnet(width=4, dropout=0.3)", "iresnet(18)"})
  void theGradientIsThatOfWhatForwardComputes(String spec) {
    var random = new SplittableRandom(5);
    var batch = MiniBatch.range(data, 0, BATCH);
    var c = new double[BATCH][];
    Arrays.setAll(c, _ -> random.doubles(DIM, -1, 1).toArray());
    try (var backbone = backbone(spec, still());
        var into = embeddings()) {
      embed(backbone, batch, true, into);
      for (int i = 0; i < BATCH; i++) {
        for (int j = 0; j < DIM; j++) {
          gradientRow(into, i).setAtIndex(JAVA_FLOAT, j, (float) c[i][j]);
        }
      }
      float[][] before = values(backbone);
      backbone.beginStep(1); // of 1 and without momentum: the way is the gradient
      backbone.read(batch, true);
      backbone.forward(into);
      backbone.backward(into, (_, _, _) -> {});
      float[][] after = values(backbone);
      double length = 0;
      for (int p = 0; p < before.length; p++) {
        for (int i = 0; i < before[p].length; i++) {
          length += Math.pow(before[p][i] - after[p][i], 2);
        }
      }
      double step = 1e-3 / Math.sqrt(length);
      double high = valueAt(backbone, before, after, step, batch, c);
      double low = valueAt(backbone, before, after, -step, batch, c);
      assertEquals(length, (high - low) / (2 * step), 0.03 * length, spec);
    }
  }

  /** Of the parameters before, a step along the gradient, which is before - after. */
  private static double valueAt(
      TorchBackbone backbone,
      float[][] before,
      float[][] after,
      double step,
      MiniBatch batch,
      double[][] c) {
    var trained = backbone.made().parameters().trained();
    for (int p = 0; p < before.length; p++) {
      MemorySegment memory = Tensors.memory(trained.get(p).tensor());
      for (int i = 0; i < before[p].length; i++) {
        double along = (double) before[p][i] - after[p][i];
        memory.setAtIndex(JAVA_FLOAT, i, (float) (before[p][i] + step * along));
      }
    }
    return value(embed(backbone, batch, true), c);
  }

  private static float[][] values(TorchBackbone backbone) {
    return backbone.made().parameters().trained().stream()
        .map(named -> Tensors.memory(named.tensor()).toArray(JAVA_FLOAT))
        .toArray(float[][]::new);
  }

  @Test
  void outsideAStepNothingChanges() {
    try (var backbone = backbone("smallnet(width=4, dropout=0.5)", still())) {
      byte[] before = backbone.network().toArray(JAVA_BYTE);
      var batch = MiniBatch.range(data, 0, BATCH);
      backbone.read(batch, true);
      try (var into = embeddings()) {
        into.begin(BATCH);
        backbone.forward(into);
      }
      embed(backbone, batch, false);
      assertArrayEquals(before, backbone.network().toArray(JAVA_BYTE));
      embed(backbone, batch, true);
      assertFalse(
          Arrays.equals(before, backbone.network().toArray(JAVA_BYTE)),
          "in a step running statistics follow the batch");
    }
  }

  @Test
  void dropoutIsAFunctionOfTheStep() {
    try (var backbone = backbone("smallnet(width=4, dropout=0.5)", still())) {
      var batch = MiniBatch.range(data, 0, BATCH);
      float[][] first = embed(backbone, batch, true);
      assertArrayEquals(first, embed(backbone, batch, true));
      float[][] outside = embed(backbone, batch, false);
      assertNotEquals(first[0][0], outside[0][0]);
      assertArrayEquals(outside, embed(backbone, batch, false));
    }
  }

  @Test
  void outsideTrainingTheRestOfTheBatchDoesNotMatter() {
    try (var backbone = backbone("smallnet(width=4)", still())) {
      float[][] together = embed(backbone, MiniBatch.range(data, 0, BATCH), false);
      for (int i = 0; i < BATCH; i++) {
        float[][] alone = embed(backbone, MiniBatch.range(data, i, 1), false);
        assertArrayEquals(together[i], alone[0], 1e-5f, "sample " + i);
      }
    }
  }

  @Test
  void restoredItIsTheSame() {
    try (var one = backbone("smallnet(width=4)", NetworkTraining.defaults());
        var two = backbone("smallnet(width=4)", NetworkTraining.defaults());
        var known = backbone("smallnet(width=4)", null)) {
      step(one, 0);
      var state = one.state();
      step(one, 1);
      two.restore(name -> section(state, name));
      step(two, 1);
      assertArrayEquals(one.network().toArray(JAVA_BYTE), two.network().toArray(JAVA_BYTE));
      known.restore(_ -> one.network());
      var batch = MiniBatch.range(data, 0, BATCH);
      assertArrayEquals(embed(one, batch, false), embed(known, batch, false));
    }
  }

  private static MemorySegment section(Map<String, MemorySegment> state, String name) {
    return Objects.requireNonNull(state.get(name), name);
  }

  private static void step(TorchBackbone backbone, int first) {
    try (var into = embeddings()) {
      backbone.beginStep(0.1);
      backbone.read(MiniBatch.range(data, first, BATCH), true);
      into.begin(BATCH);
      backbone.forward(into);
      for (int i = 0; i < BATCH; i++) {
        gradientRow(into, i).setAtIndex(JAVA_FLOAT, 0, 0.5f + i);
      }
      backbone.backward(into, (_, _, _) -> {});
    }
  }

  /** The images of the next step are made while this one computes with its own. */
  @Test
  void announcingChangesNothing() {
    var augmented =
        NetworkTraining.defaults().withAugmentation(Augmentation.parse("augment(noise=0.2)"));
    try (var told = backbone("smallnet(width=4)", augmented);
        var untold = backbone("smallnet(width=4)", augmented)) {
      for (int i = 0; i < 20; i++) {
        told.announce(MiniBatch.range(data, i + 1, BATCH));
        step(told, i);
        step(untold, i);
      }
      assertArrayEquals(untold.network().toArray(JAVA_BYTE), told.network().toArray(JAVA_BYTE));
    }
  }

  @Test
  void aStepLeavesNoTensorsBehind() {
    try (var backbone = backbone("smallnet(width=4)", NetworkTraining.defaults())) {
      step(backbone, 0);
      step(backbone, 0);
      long before = Pointer.totalCount();
      for (int i = 0; i < 20; i++) {
        step(backbone, i);
        embed(backbone, MiniBatch.range(data, i, BATCH), false);
      }
      long after = Pointer.totalCount();
      assertTrue(after <= before, before + " native objects before, " + after + " after");
    }
  }

  @Test
  void halfPrecisionIsNear() {
    var bf16 = still().withPrecision(NetworkTraining.Precision.BF16);
    try (var exact = backbone("smallnet(width=4)", still());
        var rounded = backbone("smallnet(width=4)", bf16)) {
      var batch = MiniBatch.range(data, 0, BATCH);
      float[][] wanted = embed(exact, batch, true);
      float[][] got = embed(rounded, batch, true);
      for (int i = 0; i < BATCH; i++) {
        assertArrayEquals(wanted[i], got[i], 0.2f);
      }
      assertNotEquals(wanted[0][0], got[0][0], "it did round");
      step(rounded, 0);
    }
  }

  @Test
  void aCheckpointOfAnotherNetworkIsRefused() {
    try (var one = backbone("smallnet(width=4)", still());
        var two = backbone("smallnet(width=8)", still())) {
      var failure =
          assertThrows(
              IllegalArgumentException.class,
              () -> two.restore(name -> section(one.state(), name)));
      assertEquals(
          "is of another network: it has Float block0.0.conv [4, 1, 3, 3], not block0.0.conv [8, 1,"
              + " 3, 3]",
          failure.getMessage());
    }
  }

  @Test
  void imagesThatAreTooSmallAreRefused() {
    var spec = (BackboneSpec.Network) BackboneSpec.parse("resnet(18)");
    var problem = new Problem(spec, DIM, new ImageShape(3, 28, 40), BATCH, still(), 1, 2);
    var failure =
        assertThrows(IllegalArgumentException.class, () -> new TorchProvider().open(problem));
    assertEquals(
        "backbone resnet(depth=18, dropout=0) takes images of at least 32 x 32 pixels, but these"
            + " are 3x28x40",
        failure.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet(18)", "resnet(50)", "iresnet(34)", "hynet", "smallnet"})
  void aNetworkTakesImagesOfAnyShape(String text) {
    var spec = (BackboneSpec.Network) BackboneSpec.parse(text);
    var shape = new ImageShape(3, 33, 46);
    var pixels = new byte[4][shape.size()];
    for (int i = 0; i < pixels.length; i++) {
      new SplittableRandom(i).nextBytes(pixels[i]);
    }
    var problem = new Problem(spec, DIM, shape, BATCH, still(), 1, 2);
    try (var backbone = (TorchBackbone) new TorchProvider().open(problem);
        var images = Dataset.ofImages(shape, pixels, new String[] {"a", "b", "c", "d"})) {
      var batch = MiniBatch.range(images, 0, 4);
      float[][] embedded = embed(backbone, batch, true);
      assertNotEquals(embedded[0][0], embedded[1][0]);
    }
  }

  @Test
  void theForecastHasParametersAndActivations() {
    var spec = (BackboneSpec.Network) BackboneSpec.parse("smallnet(width=4)");
    var problem = new Problem(spec, DIM, DrawnImages.SHAPE, BATCH, still(), 1, 2);
    var bytes = new TorchProvider().bytes(problem);
    try (var backbone = (TorchBackbone) new TorchProvider().open(problem)) {
      long parameters =
          backbone.made().parameters().trained().stream().mapToLong(n -> count(n.tensor())).sum();
      assertEquals(3 * 4 * parameters, bytes.get("network, gradients and optimizer"));
    }
    // Two convolutions and two normalisations of each size.
    long given = 4 * (4 * 28 * 28 + 8 * 14 * 14 + 16 * 7 * 7) + DIM;
    assertEquals(BATCH * 4 * given, bytes.get("its activations"));
  }

  /** What the count of a network's parameters is known to be elsewhere. */
  @ParameterizedTest
  @ValueSource(strings = {"resnet(18) 11176512", "resnet(50) 23508032"})
  void theTrunkHasAsManyParametersAsItsOriginal(String line) {
    String[] words = line.split(" ");
    var spec = (BackboneSpec.Network) BackboneSpec.parse(words[0]);
    var problem = new Problem(spec, DIM, new ImageShape(3, 64, 64), BATCH, still(), 1, 2);
    try (var backbone = (TorchBackbone) new TorchProvider().open(problem)) {
      long numbers =
          backbone.made().parameters().trained().stream()
              .filter(named -> !named.name().startsWith("embedding"))
              .mapToLong(named -> count(named.tensor()))
              .sum();
      assertEquals(Long.parseLong(words[1]), numbers);
    }
  }

  private static long count(Tensor tensor) {
    return tensor.numel();
  }
}
