// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class CheckTest {
  @Test
  void valuesAtTheEndsOfTheirRangeAreReturned() {
    assertEquals(3, Check.inRange("n", 3, 3, 5));
    assertEquals(5L, Check.inRange("n", 5L, 3L, 5L));
    assertEquals(0.25f, Check.inRange("x", 0.25f, 0f, 0.25f));
    assertEquals(0.0, Check.inRange("x", 0.0, 0.0, 1.0));
    assertEquals(1.0, Check.inLeftOpenRange("x", 1.0, 0.0, 1.0));
    assertEquals(0.0, Check.inRightOpenRange("x", 0.0, 0.0, 1.0));
    assertEquals(2, Check.atLeast("n", 2, 2));
    assertEquals(1, Check.positive("n", 1));
    assertEquals(1L, Check.positive("n", 1L));
    assertEquals(Float.MIN_VALUE, Check.positive("x", Float.MIN_VALUE));
    assertEquals(Double.MAX_VALUE, Check.positive("x", Double.MAX_VALUE));
  }

  @Test
  void valuesOutsideTheirRangeAreNamedWithTheRange() {
    assertMessage("n must be in [3, 5], but was 2", () -> Check.inRange("n", 2, 3, 5));
    assertMessage(
        "n must be in [3, 5], but was 3000000000",
        () -> Check.inRange("n", 3_000_000_000L, 3L, 5L));
    assertMessage(
        "margin (radians) must be in [0.0, 1.5707964], but was 28.0",
        () -> Check.inRange("margin (radians)", 28f, 0f, (float) (Math.PI / 2)));
    assertMessage(
        "x must be in [0.0, 1.0], but was -0.1", () -> Check.inRange("x", -0.1, 0.0, 1.0));
    assertMessage(
        "x must be in (0.0, 1.0], but was 0.0", () -> Check.inLeftOpenRange("x", 0.0, 0.0, 1.0));
    assertMessage(
        "x must be in (0.0, 1.0], but was 1.5", () -> Check.inLeftOpenRange("x", 1.5, 0.0, 1.0));
    assertMessage(
        "x must be in [0.0, 1.0), but was 1.0", () -> Check.inRightOpenRange("x", 1.0, 0.0, 1.0));
    assertMessage(
        "x must be in [0.0, 1.0), but was -1.0", () -> Check.inRightOpenRange("x", -1.0, 0.0, 1.0));
  }

  @Test
  void valuesThatAreTooSmallAreNamedWithTheLeastAllowed() {
    assertMessage("n must be at least 2, but was 1", () -> Check.atLeast("n", 1, 2));
    assertMessage("n must be at least 1, but was 0", () -> Check.positive("n", 0));
    assertMessage("n must be at least 1, but was -7", () -> Check.positive("n", -7L));
    assertMessage("x must be a finite number above 0, but was 0.0", () -> Check.positive("x", 0f));
    assertMessage(
        "x must be a finite number above 0, but was Infinity",
        () -> Check.positive("x", Double.POSITIVE_INFINITY));
  }

  @Test
  void notANumberIsNeverAllowed() {
    assertMessage(
        "x must be in [0.0, 1.0], but was NaN", () -> Check.inRange("x", Float.NaN, 0f, 1f));
    assertMessage(
        "x must be in [0.0, 1.0], but was NaN", () -> Check.inRange("x", Double.NaN, 0.0, 1.0));
    assertMessage(
        "x must be in (0.0, 1.0], but was NaN",
        () -> Check.inLeftOpenRange("x", Double.NaN, 0.0, 1.0));
    assertMessage(
        "x must be in [0.0, 1.0), but was NaN",
        () -> Check.inRightOpenRange("x", Double.NaN, 0.0, 1.0));
    assertMessage(
        "x must be a finite number above 0, but was NaN", () -> Check.positive("x", Float.NaN));
    assertMessage(
        "x must be a finite number above 0, but was NaN", () -> Check.positive("x", Double.NaN));
  }

  private static void assertMessage(String expected, Executable check) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, check).getMessage());
  }
}
