// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class TemplateTest {
  @Test
  void aVideoOfManyFramesWeighsAsMuchAsAnImage() {
    // Lengths play no part: the items are unit vectors along x, y and z.
    var scene =
        new Scene(
            new float[][] {{1, 0, 0}, {3, 0, 0}, {2, 0, 0}, {0, 5, 0}, {0, 0, 1}},
            new int[] {0, 0, 0, 0, 1});
    var templates =
        List.of(
            new Template("a", "Ann", List.of(List.of(0, 1, 2), List.of(3))),
            new Template("b", "Bob", List.of(List.of(0, 4))),
            new Template("c", "Ann", List.of(List.of(4))));
    scene.on(
        2,
        items -> {
          try (var set = Template.embed(items, templates)) {
            assertEquals(3, set.size());
            assertArrayEquals(new int[] {0, 1, 0}, set.classIds());
            float root = (float) Math.sqrt(0.5);
            assertArrayEquals(new float[] {root, root, 0}, set.embedding(0), 1e-6f);
            assertArrayEquals(new float[] {root, 0, root}, set.embedding(1), 1e-6f);
            assertArrayEquals(new float[] {0, 0, 1}, set.embedding(2), 1e-6f);
            assertEquals(0, set.score(0, 2), 1e-6f);
          }
          return 0;
        });
  }

  @Test
  void itemsThatCancelEachOtherAreNamed() {
    var scene = new Scene(new float[][] {{1, 0}, {-1, 0}}, new int[] {0, 0});
    var templates = List.of(new Template("t7", "Ann", List.of(List.of(0), List.of(1))));
    var e =
        assertThrows(
            ArithmeticException.class, () -> scene.on(1, set -> Template.embed(set, templates)));
    assertEquals(
        "template t7 has length 0.0, which has no direction; leave it out", e.getMessage());
  }

  @Test
  void anEmptyTemplateIsRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> new Template("t", "Ann", List.of()));
    assertEquals("template t is empty; give it an example", e.getMessage());
  }
}
