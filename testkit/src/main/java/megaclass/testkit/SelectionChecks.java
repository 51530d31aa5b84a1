// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.LongFunction;
import megaclass.select.ActiveClasses;
import megaclass.testkit.SelectionScene.Choice;

/** What must hold of each choice, or of many, whatever its selector. */
final class SelectionChecks {
  /** Estimates of Z whose mean is taken; it may be off by so many of its standard errors. */
  private static final int DRAWS = 4000;

  private static final double STANDARD_ERRORS = 4.5;

  private SelectionChecks() {}

  /** A failure names the first place at which two choices differ, not all of their classes. */
  static void assertSame(Choice expected, Choice actual, String when) {
    assertIterableEquals(expected.classIds(), actual.classIds(), "class ids " + when);
    assertIterableEquals(expected.logWeights(), actual.logWeights(), "log weights " + when);
    assertIterableEquals(expected.targetPositions(), actual.targetPositions(), "targets " + when);
  }

  static void assertWellFormed(SelectionScene scene, ActiveClasses active) {
    assertIdsAscendInRange(scene, active);
    assertTargetsAreActive(scene, active);
    assertLogWeights(scene, active);
  }

  static void assertIdsAscendInRange(SelectionScene scene, ActiveClasses active) {
    int before = -1;
    for (int j = 0; j < active.numActive(); j++) {
      assertTrue(active.classId(j) > before, active.classId(j) + " follows " + before);
      before = active.classId(j);
    }
    assertTrue(before < scene.size().numClasses(), before + " is no class");
  }

  static void assertTargetsAreActive(SelectionScene scene, ActiveClasses active) {
    for (int i = 0; i < scene.targets().length; i++) {
      int position = active.targetPosition(i);
      assertTrue(0 <= position && position < active.numActive(), "target at " + position);
      assertEquals(scene.targets()[i], active.classId(position), "target of sample " + i);
    }
  }

  static void assertLogWeights(SelectionScene scene, ActiveClasses active) {
    for (int j = 0; j < active.numActive(); j++) {
      float logWeight = active.logWeight(j);
      assertTrue(Float.isFinite(logWeight), "log weight " + logWeight);
    }
    for (int i = 0; i < scene.targets().length; i++) {
      float logWeight = active.logWeight(active.targetPosition(i));
      assertEquals(0f, logWeight, "log weight of target " + scene.targets()[i]);
    }
  }

  /** E[Zhat] = Z for each sample of the batch, over as many steps as give a steady mean. */
  static void assertUnbiased(SelectionScene scene, LongFunction<ActiveClasses> select) {
    int batch = scene.targets().length;
    double[][] terms = scene.terms();
    double[] sums = new double[batch];
    double[] squares = new double[batch];
    for (int step = 0; step < DRAWS; step++) {
      ActiveClasses active = select.apply(step);
      for (int i = 0; i < batch; i++) {
        double estimate = estimate(active, terms[i]);
        sums[i] += estimate;
        squares[i] += estimate * estimate;
      }
    }
    for (int i = 0; i < batch; i++) {
      double z = Arrays.stream(terms[i]).sum();
      double mean = sums[i] / DRAWS;
      double variance = Math.max(0, squares[i] / DRAWS - mean * mean);
      double allowed = STANDARD_ERRORS * Math.sqrt(variance / DRAWS) + 1e-6 * z;
      assertEquals(z, mean, allowed, "mean estimate of Z for sample " + i);
    }
  }

  private static double estimate(ActiveClasses active, double[] terms) {
    double estimate = 0;
    for (int j = 0; j < active.numActive(); j++) {
      estimate += terms[active.classId(j)] * Math.exp(active.logWeight(j));
    }
    return estimate;
  }
}
