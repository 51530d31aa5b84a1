// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import megaclass.TestBackend;
import megaclass.eval.Prediction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model file of version 1. The file in test/resources/golden was written by {@link #main} when
 * the version was made and must predict for ever what it did then.
 */
class GoldenModelTest {
  private static final String NAME = "text-v1.mcm";

  @TempDir Path folder;

  /** Writes the golden file into the folder given. */
  public static void main(String[] args) {
    try (var model = HandMadeModel.text()) {
      model.save(Path.of(args[0], NAME));
    }
  }

  @Test
  void aModelOfVersion1PredictsWhatItAlwaysDid() throws IOException {
    try (var model = Classifier.load(golden(), 1, TestBackend.NAME)) {
      assertPredicts(
          model.predict("żółwie", 4),
          prediction(3, "mieć", 0.4288189, 0.7089931),
          prediction(2, "mama", 0.3475229, 0.19308099),
          prediction(0, "kot", 0.27987933, 0.06541898),
          prediction(1, "żółw", 0.2361695, 0.03250699));
      assertPredicts(
          model.predict("kota mam", 4),
          prediction(1, "żółw", -0.21966164, 0.911991),
          prediction(3, "mieć", -0.38090962, 0.069107436),
          prediction(0, "kot", -0.46468517, 0.018088087),
          prediction(2, "mama", -0.65853846, 8.1350835E-4));
      assertEquals("by hand, \\ on\ntwo lines", model.provenance().get("data"));
    }
  }

  private static Prediction prediction(
      int classId, String label, double score, double probability) {
    return new Prediction(classId, label, score, OptionalDouble.of(probability));
  }

  private static void assertPredicts(List<Prediction> actual, Prediction... expected) {
    assertEquals(expected.length, actual.size(), actual.toString());
    for (int rank = 0; rank < expected.length; rank++) {
      var then = expected[rank];
      var now = actual.get(rank);
      assertEquals(then.classId(), now.classId());
      assertEquals(then.label(), now.label());
      assertEquals(then.score(), now.score(), 1e-6);
      assertEquals(then.probability().orElseThrow(), now.probability().orElseThrow(), 1e-5);
    }
  }

  @Test
  void version1IsStillWrittenByteForByte() throws IOException {
    main(new String[] {folder.toString()});
    var golden = Files.readAllBytes(golden());
    assertTrue(golden.length < 50_000);
    assertArrayEquals(golden, Files.readAllBytes(folder.resolve(NAME)));
  }

  private Path golden() throws IOException {
    try (var in = GoldenModelTest.class.getResourceAsStream("/golden/" + NAME)) {
      if (in == null) {
        throw new AssertionError(NAME);
      }
      return Files.write(folder.resolve("golden-" + NAME), in.readAllBytes());
    }
  }
}
