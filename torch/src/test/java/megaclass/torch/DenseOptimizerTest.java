// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import megaclass.backbone.NetworkOptimizer;
import megaclass.backbone.NetworkTraining;
import megaclass.torch.Parameters.Named;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DenseOptimizerTest {
  private static final int SIZE = 5;
  private static final int STEPS = 4;
  private static final double RATE = 0.1;

  @BeforeAll
  static void load() {
    TorchLibrary.load(2);
  }

  /** Plain Java, one number at a time; the definition. */
  private static final class Twin {
    private final NetworkOptimizer spec;
    private final boolean decays;
    final double[] w = new double[SIZE];
    private final double[] v = new double[SIZE];
    private final double[] s = new double[SIZE];
    private int steps;

    Twin(NetworkOptimizer spec, boolean decays) {
      this.spec = spec;
      this.decays = decays;
    }

    void step(double[] g) {
      steps++;
      for (int i = 0; i < SIZE; i++) {
        switch (spec) {
          case NetworkOptimizer.Sgd(double momentum, boolean nesterov, double decay) -> {
            double pull = g[i] + (decays ? decay * w[i] : 0);
            v[i] = momentum * v[i] + pull;
            w[i] -= RATE * (nesterov ? pull + momentum * v[i] : v[i]);
          }
          case NetworkOptimizer.Adam(double b1, double b2, double epsilon, double decay) -> {
            v[i] = b1 * v[i] + (1 - b1) * g[i];
            s[i] = b2 * s[i] + (1 - b2) * g[i] * g[i];
            double mean = v[i] / (1 - Math.pow(b1, steps));
            double square = s[i] / (1 - Math.pow(b2, steps));
            w[i] -= RATE * (mean / (Math.sqrt(square) + epsilon) + (decays ? decay * w[i] : 0));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(momentum=0, decay=0)",
        "sgd(momentum=0.9, decay=0.1)",
        "sgd(momentum=0.9, nesterov=true, decay=0.1)",
        "adam",
        "adam(beta1=0.8, beta2=0.9, epsilon=0.01, decay=0.1)"
      })
  void itMovesAsItsDefinition(String text) {
    var spec = NetworkOptimizer.parse(text);
    for (boolean decays : new boolean[] {true, false}) {
      var random = new SplittableRandom(3);
      var twin = new Twin(spec, decays);
      try (Tensor w = torch.zeros(SIZE);
          var optimizer =
              new DenseOptimizer(
                  spec, NetworkTraining.NO_CLIP, List.of(new Named("w", w, decays)))) {
        for (int i = 0; i < SIZE; i++) {
          twin.w[i] = (float) random.nextGaussian();
          Tensors.memory(w).setAtIndex(JAVA_FLOAT, i, (float) twin.w[i]);
        }
        w.set_requires_grad(true);
        for (int step = 0; step < STEPS; step++) {
          double[] g = random.doubles(SIZE, -1, 1).map(x -> (float) x).toArray();
          give(w, g);
          optimizer.step(RATE);
          twin.step(g);
        }
        assertArrayEquals(twin.w, values(w), 1e-6, text + " decays: " + decays);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sgd(momentum=0.9)", "adam"})
  void savedInBetweenItGoesOnTheSame(String text) {
    var spec = NetworkOptimizer.parse(text);
    double[] g = {1, -2, 3, -4, 5};
    try (Tensor one = torch.zeros(SIZE);
        Tensor two = torch.zeros(SIZE)) {
      one.set_requires_grad(true);
      MemorySegment state;
      try (var optimizer = of(spec, one)) {
        give(one, g);
        optimizer.step(RATE);
        state = optimizer.state();
        Tensors.memory(two).copyFrom(Tensors.memory(one));
        give(one, g);
        optimizer.step(RATE);
      }
      two.set_requires_grad(true);
      try (var optimizer = of(spec, two)) {
        optimizer.restore(state);
        give(two, g);
        optimizer.step(RATE);
      }
      assertArrayEquals(values(one), values(two), 0);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 100})
  void aGradientIsCutToItsLength(double clip) {
    double[] g = {3, 0, 4, 0, 0};
    double factor = Math.min(1, clip / 5);
    var spec = new NetworkOptimizer.Sgd(0, false, 0);
    try (Tensor w = torch.zeros(SIZE)) {
      w.set_requires_grad(true);
      try (var optimizer = new DenseOptimizer(spec, clip, List.of(new Named("w", w, false)))) {
        give(w, g);
        optimizer.step(1);
      }
      assertEquals(-3 * factor, values(w)[0], 1e-6);
      assertEquals(-4 * factor, values(w)[2], 1e-6);
    }
  }

  private static DenseOptimizer of(NetworkOptimizer spec, Tensor w) {
    return new DenseOptimizer(spec, NetworkTraining.NO_CLIP, List.of(new Named("w", w, true)));
  }

  /** Backward of the sum of w * g, whose gradient is g. */
  private static void give(Tensor w, double[] g) {
    try (Tensor gradient = torch.zeros(SIZE)) {
      for (int i = 0; i < SIZE; i++) {
        Tensors.memory(gradient).setAtIndex(JAVA_FLOAT, i, (float) g[i]);
      }
      w.mul(gradient).sum().backward();
    }
  }

  private static double[] values(Tensor tensor) {
    var values = new double[SIZE];
    for (int i = 0; i < SIZE; i++) {
      values[i] = Tensors.memory(tensor).getAtIndex(JAVA_FLOAT, i);
    }
    return values;
  }
}
