// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import megaclass.select.ActiveClasses;
import megaclass.select.ActiveClasses.Group;
import megaclass.testkit.SelectionScene.Choice;

/** What must hold of each choice, or of many, whatever its selector. */
final class SelectionChecks {
  /** Estimates of Z whose mean is taken; it may be off by so many of its standard errors. */
  private static final int DRAWS = 4000;

  private static final double STANDARD_ERRORS = 4.5;

  private SelectionChecks() {}

  /** A failure names the first place at which two choices differ, not all of their classes. */
  static void assertSame(Choice expected, Choice actual, String when) {
    assertIterableEquals(expected.samples(), actual.samples(), "samples " + when);
    assertIterableEquals(expected.classIds(), actual.classIds(), "class ids " + when);
    assertIterableEquals(expected.logWeights(), actual.logWeights(), "log weights " + when);
    assertIterableEquals(expected.targetPositions(), actual.targetPositions(), "targets " + when);
    assertEquals(expected.groups().size(), actual.groups().size(), "number of groups " + when);
    for (int g = 0; g < expected.groups().size(); g++) {
      assertSame(expected.groups().get(g), actual.groups().get(g), "of group " + g + " " + when);
    }
  }

  static void assertActive(int[] classIds, ActiveClasses active) {
    var ids = range(active.numActive()).map(active::classId).boxed().collect(Collectors.toSet());
    for (int classId : classIds) {
      assertTrue(ids.contains(classId), "class " + classId + " was foreseen but is not active");
    }
  }

  static void assertWellFormed(SelectionScene scene, ActiveClasses active) {
    assertIdsAscendInRange(scene, active);
    assertTargetsAreActive(scene, active);
    assertLogWeights(scene, active);
    assertGroupsMakeUpTheBatch(scene, active);
  }

  /** Each sample is in one group, and the classes of the batch are those of its groups. */
  static void assertGroupsMakeUpTheBatch(SelectionScene scene, ActiveClasses active) {
    if (active.groups().isEmpty()) {
      return;
    }
    int[] groupsOfSample = new int[scene.targets().length];
    int[] groupsOfClass = new int[scene.size().numClasses()];
    for (Group group : active.groups()) {
      Arrays.stream(group.samples()).forEach(i -> groupsOfSample[i]++);
      range(group.active().numActive()).forEach(j -> groupsOfClass[group.active().classId(j)]++);
    }
    assertTrue(Arrays.stream(groupsOfSample).allMatch(n -> n == 1), "groups of a sample");
    int[] expected = new int[groupsOfClass.length];
    range(active.numActive()).forEach(j -> expected[active.classId(j)] = active.groupsWith(j));
    assertArrayEquals(expected, groupsOfClass, "groups that have a class");
  }

  private static IntStream range(int end) {
    return IntStream.range(0, end);
  }

  static void assertIdsAscendInRange(SelectionScene scene, ActiveClasses active) {
    active.groups().forEach(group -> assertIdsAscendInRange(scene, group.active()));
    int before = -1;
    for (int j = 0; j < active.numActive(); j++) {
      assertTrue(active.classId(j) > before, active.classId(j) + " follows " + before);
      before = active.classId(j);
    }
    assertTrue(before < scene.size().numClasses(), before + " is no class");
  }

  static void assertTargetsAreActive(SelectionScene scene, ActiveClasses active) {
    assertTargetsAreActive(scene.targets(), active);
    for (Group group : active.groups()) {
      assertTargetsAreActive(targetsOf(scene, group), group.active());
    }
  }

  private static int[] targetsOf(SelectionScene scene, Group group) {
    return Arrays.stream(group.samples()).map(i -> scene.targets()[i]).toArray();
  }

  private static void assertTargetsAreActive(int[] targets, ActiveClasses active) {
    for (int i = 0; i < targets.length; i++) {
      int position = active.targetPosition(i);
      assertTrue(0 <= position && position < active.numActive(), "target at " + position);
      assertEquals(targets[i], active.classId(position), "target of sample " + i);
    }
  }

  static void assertLogWeights(SelectionScene scene, ActiveClasses active) {
    assertLogWeights(scene.targets(), active);
    for (Group group : active.groups()) {
      assertLogWeights(targetsOf(scene, group), group.active());
    }
  }

  private static void assertLogWeights(int[] targets, ActiveClasses active) {
    for (int j = 0; j < active.numActive(); j++) {
      float logWeight = active.logWeight(j);
      assertTrue(Float.isFinite(logWeight), "log weight " + logWeight);
    }
    for (int i = 0; i < targets.length; i++) {
      float logWeight = active.logWeight(active.targetPosition(i));
      assertEquals(0f, logWeight, "log weight of target " + targets[i]);
    }
  }

  static void assertAllStandForThemselves(ActiveClasses active) {
    active.groups().forEach(group -> assertAllStandForThemselves(group.active()));
    for (int j = 0; j < active.numActive(); j++) {
      assertEquals(0f, active.logWeight(j), "log weight of class " + active.classId(j));
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
        double estimate = estimate(active.ofSample(i), terms[i]);
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
