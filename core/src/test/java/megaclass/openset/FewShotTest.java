// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FewShotTest {
  private static Estimate of(Scene scene, int threads, FewShot.Task task) {
    return scene.on(threads, set -> FewShot.of(set, task)).accuracy();
  }

  @Test
  void randomEmbeddingsAreRightByChance() {
    var accuracy = of(Scene.ofNoise(3000, 100, 16), 2, new FewShot.Task(20, 1, 300, 1));
    assertEquals(0.05, accuracy.value(), 0.01);
    assertTrue(accuracy.low() < 0.05 && accuracy.high() > 0.05, accuracy::toString);
  }

  @Test
  void perfectEmbeddingsAreAlwaysRightAndCollapsedOnesNever() {
    var task = new FewShot.Task(5, 2, 20, 1);
    assertEquals(new Estimate(1, 1, 1), of(Scene.perfect(10, 4), 2, task));
    assertEquals(new Estimate(0, 0, 0), of(Scene.collapsed(10, 4), 2, task));
  }

  @Test
  void moreShotsHelp() {
    var scene = Scene.ofSigns(2000, 100, 64, 0.3);
    double one = of(scene, 2, new FewShot.Task(20, 1, 200, 1)).value();
    double five = of(scene, 2, new FewShot.Task(20, 5, 200, 1)).value();
    assertTrue(five > one + 0.1, one + " and " + five);
  }

  /** With one episode of all classes and all examples, only the prototype depends on the draw. */
  @Test
  void anEpisodeOfAllClassesIsThatOfTheNearestOtherExample() {
    // Two classes of two: whichever is the shot, the query is its only other example.
    var scene =
        new Scene(new float[][] {{1, 0}, {1, 0.1f}, {0, 1}, {1, 0.5f}}, new int[] {0, 0, 1, 1});
    // Of class 0 always right: (1, 0) and (1, 0.1) are nearer to each other than to (1, 0.5).
    // Of class 1: from (0, 1), the query (1, 0.5) goes to class 0; from (1, 0.5), (0, 1) stays.
    var accuracy = of(scene, 1, new FewShot.Task(2, 1, 4000, 1));
    assertEquals((0.5 + 1) / 2, accuracy.value(), 0.02);
  }

  @Test
  void theSeedDecidesAndTheThreadsDoNot() {
    var scene = Scene.ofSigns(400, 40, 16, 0.5);
    var task = new FewShot.Task(10, 1, 100, 1);
    assertEquals(of(scene, 1, task), of(scene, 3, task));
    assertNotEquals(of(scene, 1, task), of(scene, 1, new FewShot.Task(10, 1, 100, 2)));
  }

  @Test
  void tooFewClassesAreNamed() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> of(Scene.perfect(10, 3), 1, new FewShot.Task(20, 1, 10, 1)));
    assertEquals(
        "20-way 1-shot takes 20 classes of at least 2 examples, but there are 10; ask for fewer"
            + " ways",
        e.getMessage());
  }
}
