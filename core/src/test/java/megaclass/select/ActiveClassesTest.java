// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The choice of a batch and where its targets stand in it. */
class ActiveClassesTest {
  @Test
  void allClassesStandAtTheirOwnPlace() {
    int[] targets = {3, 0, 3};
    var active = ActiveClasses.all(5, targets);
    targets[0] = 4; // what was handed over belongs to the caller
    assertEquals(5, active.numActive());
    for (int c = 0; c < 5; c++) {
      assertEquals(c, active.classId(c));
      assertEquals(0f, active.logWeight(c));
    }
    assertEquals(3, active.targetPosition(0));
    assertEquals(0, active.targetPosition(1));
    assertEquals(3, active.targetPosition(2));
  }

  @Test
  void someClassesStandInTheirOrder() {
    var active = ActiveClasses.of(new int[] {2, 5, 9}, new float[] {0, 1.5f, 0}, new int[] {9, 2});
    assertEquals(3, active.numActive());
    assertEquals(5, active.classId(1));
    assertEquals(1.5f, active.logWeight(1));
    assertEquals(2, active.targetPosition(0));
    assertEquals(0, active.targetPosition(1));
    assertEquals(0f, ActiveClasses.of(new int[] {4}, null, new int[] {4}).logWeight(0));
  }

  @Test
  void classesAreFoundByTheirId() {
    var active = ActiveClasses.of(new int[] {2, 5, 9}, null, new int[] {9});
    assertEquals(1, active.positionOf(5));
    assertTrue(active.positionOf(6) < 0);
    assertEquals(3, ActiveClasses.all(5, new int[0]).positionOf(3));
  }

  @Test
  void theClassesOfGroupsAreThoseOfAnyOfThem() {
    var even = ActiveClasses.of(new int[] {2, 5, 9}, new float[] {0, 3, 0}, new int[] {9, 2});
    var odd = ActiveClasses.of(new int[] {0, 5}, null, new int[] {0});
    var groups =
        List.of(
            new ActiveClasses.Group(new int[] {0, 2}, even),
            new ActiveClasses.Group(new int[] {1}, odd));
    var active = ActiveClasses.ofGroups(groups, new int[] {9, 0, 2});
    assertArrayEquals(new int[] {0, 2, 5, 9}, Problem.ids(active));
    assertArrayEquals(new float[4], Problem.logWeights(active));
    assertEquals(groups, active.groups());
    assertEquals(3, active.targetPosition(0));
    assertEquals(0, active.targetPosition(1));
    assertEquals(1, active.groupsWith(1));
    assertEquals(2, active.groupsWith(2));
    assertSame(odd, active.ofSample(1));
    assertSame(even, active.ofSample(2));
    assertSame(even, even.ofSample(1));
    assertTrue(even.groups().isEmpty());
  }

  @Test
  void aMissingTargetIsNamed() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> ActiveClasses.of(new int[] {2, 5, 9}, null, new int[] {5, 6}));
    assertEquals(
        "target 6 of sample 1 is not among the active classes; a selector must take in all targets",
        e.getMessage());
  }
}
