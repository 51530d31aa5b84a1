// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceSpecTest {
  @Test
  void aMavenArtifactIsNamedByItsCoordinates() {
    var artifact = new MavenArtifact("org.carrot2", "morfologik-polish", "2.1.9");
    var spec = SourceSpec.parse("lemmas:org.carrot2:morfologik-polish:2.1.9", "");
    assertEquals(new SourceSpec.Lemmas(artifact, null), spec);
    assertEquals("morfologik-polish-2.1.9", spec.name());
    assertEquals("lemmas:org.carrot2:morfologik-polish:2.1.9", spec.toString());
  }

  @Test
  void aDictionaryInTheJarStandsBehindAnExclamationMark() {
    var spec = SourceSpec.parse("lemmas:g:a:1!de/german.dict", "");
    assertEquals(new SourceSpec.Lemmas(new MavenArtifact("g", "a", "1"), "de/german.dict"), spec);
    assertEquals("lemmas:g:a:1!de/german.dict", spec.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"some/pairs.tsv", "some/pairs.txt", "some/pairs.TSV.GZ", "some\\pairs.txt.gz"})
  void aTextFileIsKnownByTheEndOfItsName(String file) {
    var spec = SourceSpec.parse(file, "");
    assertEquals(new SourceSpec.TextFile(file), spec);
    assertEquals(file.contains("GZ") ? "pairs.TSV.GZ" : "pairs", spec.name());
  }

  @Test
  void rowsHaveLabels() {
    var spec = SourceSpec.parse("a/features.npy", "labels.txt");
    assertEquals(new SourceSpec.Rows("a/features.npy", "labels.txt"), spec);
    assertEquals("features", spec.name());
    var e =
        assertThrows(IllegalArgumentException.class, () -> SourceSpec.parse("features.npy", ""));
    assertEquals(
        "the rows of features.npy need labels; give a file with a label a line: features.npy"
            + " labels.txt",
        e.getMessage());
  }

  @Test
  void imagesAreKnownByTheirShapeOrTheEndOfTheName() {
    var choice = ImageChoice.NONE.withShape("1x28x28");
    for (var path : new String[] {"a/faces", "a/faces/", "a/faces.lst", "faces.rec", "faces.bin"}) {
      assertEquals("faces", SourceSpec.parse(path, "", choice).name());
    }
    assertEquals(
        new SourceSpec.Images(SourceSpec.ImagePlace.FOLDER, "a/faces", choice),
        SourceSpec.parse("a/faces", "", choice));
    assertEquals(
        new SourceSpec.Images(
            SourceSpec.ImagePlace.RECORDS, "train.rec", ImageChoice.NONE.withShape("3x112x112")),
        SourceSpec.parse("train.rec", ""));
    var e = assertThrows(IllegalArgumentException.class, () -> SourceSpec.parse("a.lst", ""));
    assertEquals(
        "the images of a.lst need a shape; give one, as in --image 3x112x112", e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"pairs.csv", "pairs", "lemmas:org.carrot2:morfologik-polish", "lemmas:a::1"})
  void whatIsNoSourceIsAnsweredWithTheChoices(String text) {
    var e = assertThrows(IllegalArgumentException.class, () -> SourceSpec.parse(text, ""));
    assertEquals(
        "cannot read the source \""
            + text
            + "\"; expected one of\n"
            + "  FILE.tsv                        a label, a tab and a text in each line; also .txt,"
            + " .gz\n"
            + "  FILE.npy LABELS                 rows of numbers and a file with a label a line\n"
            + "  FOLDER --image CxHxW            images, in a folder for each class\n"
            + "  FILE.lst --image CxHxW          a path of an image, a tab and a label in each"
            + " line\n"
            + "  FILE.rec, FILE.bin              a training or verification set of InsightFace\n"
            + "  lemmas:GROUP:ARTIFACT:VERSION   a dictionary in a Maven artifact, e.g."
            + " lemmas:org.carrot2:morfologik-polish:2.1.9",
        e.getMessage());
  }
}
