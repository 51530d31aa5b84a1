// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import megaclass.optim.OptimizerSpec.LazyDecay;
import megaclass.optim.OptimizerSpec.Sgd;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

class CatchUpTest {
  @Property(tries = 50)
  void theProductIsWhatDenseStepsWithoutGradientDo(
      @ForAll @Scale(6) @DoubleRange(min = 0.001, max = 0.999) double momentum,
      @ForAll @Scale(6) @DoubleRange(min = 0, max = 0.1) double decay,
      @ForAll boolean nesterov,
      @ForAll long seed) {
    var random = new Random(seed);
    double[] rates = random.doubles(70, 0.0, 0.5).toArray();
    var catchUp = new CatchUp(new Sgd(momentum, nesterov, decay, LazyDecay.EXACT));
    for (double rate : rates) {
      catchUp.advance(rate);
    }
    double[] product = new double[4];
    for (int from = 0; from <= rates.length; from++) {
      double v = random.nextDouble(-1, 1);
      double w = random.nextDouble(-1, 1);
      double denseV = v;
      double denseW = w;
      for (int to = from; to <= rates.length; to++) {
        catchUp.product(from, to, product);
        double tolerance = 1e-13 * Math.max(1.0, Math.max(Math.abs(denseV), Math.abs(denseW)));
        assertEquals(denseV, product[0] * v + product[1] * w, tolerance);
        assertEquals(denseW, product[2] * v + product[3] * w, tolerance);
        if (to < rates.length) {
          double g = decay * denseW;
          denseV = momentum * denseV + g;
          denseW -= rates[to] * (nesterov ? g + momentum * denseV : denseV);
        }
      }
    }
  }

  @Test
  void productsStayRightWhileStepsAreAdded() {
    var catchUp = new CatchUp(new Sgd(0.9, false, 1e-3, LazyDecay.EXACT));
    double[] product = new double[4];
    double v = 1;
    double w = 1;
    for (int step = 1; step <= 3000; step++) {
      double rate = 0.1 / step;
      catchUp.advance(rate);
      v = 0.9 * v + 1e-3 * w;
      w -= rate * v;
      catchUp.product(0, step, product);
      assertEquals(v, product[0] + product[1], 1e-13);
      assertEquals(w, product[2] + product[3], 1e-13);
    }
    assertEquals(3000, catchUp.numSteps());
  }

  @Test
  void noStepsLeaveARowAsItIs() {
    var catchUp = new CatchUp(new Sgd(0.9, true, 1e-3, LazyDecay.EXACT));
    catchUp.advance(0.1);
    double[] product = new double[4];
    catchUp.product(1, 1, product);
    assertArrayEquals(new double[] {1, 0, 0, 1}, product);
  }

  @Test
  void stepsThatWereNotAddedAreNamed() {
    var catchUp = new CatchUp(new Sgd(0.9, true, 1e-3, LazyDecay.EXACT));
    catchUp.advance(0.1);
    var to =
        assertThrows(IllegalArgumentException.class, () -> catchUp.product(0, 2, new double[4]));
    assertEquals("to must be in [0, 1], but was 2", to.getMessage());
    var from =
        assertThrows(IllegalArgumentException.class, () -> catchUp.product(2, 1, new double[4]));
    assertEquals("from must be in [0, 1], but was 2", from.getMessage());
  }
}
