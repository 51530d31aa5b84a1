// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Set;
import megaclass.internal.SectionFile;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelsTest {
  @TempDir Path folder;

  @Property(tries = 300)
  void everyLabelIsFoundUnderItsId(@ForAll Set<@StringLength(min = 1) String> strings) {
    // Unpaired surrogates have no UTF-8 form.
    var labels =
        List.copyOf(strings).stream()
            .map(s -> new String(s.getBytes(UTF_8), UTF_8))
            .distinct()
            .toList();
    var read = Labels.of(labels);
    assertEquals(labels.size(), read.size());
    for (int id = 0; id < labels.size(); id++) {
      assertEquals(labels.get(id), read.label(id));
      assertEquals(id, read.classId(labels.get(id)));
    }
    assertEquals(-1, read.classId("not one of " + labels));
    assertEquals(-1, read.classId(""));
  }

  @Test
  void idsFollowTheFirstAppearance() {
    try (var builder = new Labels.Builder()) {
      assertEquals(0, builder.add("pies"));
      assertEquals(1, builder.add("kot"));
      assertEquals(0, builder.add("pies"));
      assertEquals(2, builder.add(" kot"));
      assertEquals(1, builder.add("kot".getBytes(UTF_8)));
      assertEquals(3, builder.size());
    }
  }

  @Test
  void manyLabelsAgreeWithAHashMap() {
    var expected = new HashMap<String, Integer>();
    try (var builder = new Labels.Builder();
        var arena = Arena.ofConfined()) {
      for (int i = 0; i < 200_000; i++) {
        var label = "label " + i * 7919L % 150_000;
        expected.putIfAbsent(label, expected.size());
        assertEquals(expected.get(label), builder.add(label));
      }
      var labels = builder.build(arena);
      assertEquals(expected.size(), labels.size());
      expected.forEach(
          (label, id) -> {
            assertEquals(id, labels.classId(label));
            assertEquals(label, labels.label(id));
          });
      for (int i = 0; i < 1000; i++) {
        assertEquals(-1, labels.classId("unknown " + i));
      }
    }
  }

  @Test
  void labelsWrittenToAFileAreRead() {
    var file = folder.resolve("labels.mcm");
    try (var builder = new Labels.Builder()) {
      for (int i = 0; i < 1000; i++) {
        builder.add("🐈 " + i);
      }
      try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
        builder.writeTo(writer);
        writer.finish();
      }
    }
    try (var arena = Arena.ofConfined()) {
      var labels = Labels.read(SectionFile.open(file, "MODL", 1, arena));
      assertEquals(1000, labels.size());
      for (int i = 0; i < 1000; i++) {
        assertEquals("🐈 " + i, labels.label(i));
        assertEquals(i, labels.classId("🐈 " + i));
      }
      assertEquals(-1, labels.classId("🐈 1000"));
      assertTrue(labels.utf8(0).isReadOnly());
      assertEquals("1000 labels", labels.toString());
    }
  }

  @Test
  void aBuilderMayStartFromOtherLabels() {
    try (var builder = new Labels.Builder(Labels.of(List.of("a", "b")))) {
      assertEquals(1, builder.add("b"));
      assertEquals(2, builder.add("c"));
    }
  }

  @Test
  void theHashTableIsAFunctionOfTheLabelsAlone() {
    // Built with different histories of growth.
    var names = new String[3000];
    for (int i = 0; i < names.length; i++) {
      names[i] = "name " + i;
    }
    var first = Labels.of(List.of(names));
    try (var builder = new Labels.Builder(Labels.of(List.of(names).subList(0, 1234)));
        var arena = Arena.ofConfined()) {
      for (var name : names) {
        builder.add(name);
      }
      var second = builder.build(arena);
      for (int i = 0; i < 3; i++) {
        assertEquals(
            -1, first.sections().get(i).mismatch(second.sections().get(i)), "section " + i);
      }
    }
  }

  @Test
  void badLabelsAreRefused() {
    assertEquals(
        "label \"b\" is repeated",
        assertThrows(IllegalArgumentException.class, () -> Labels.of(List.of("a", "b", "b")))
            .getMessage());
    assertEquals(
        "a label must not be empty",
        assertThrows(IllegalArgumentException.class, () -> Labels.of(List.of("a", "")))
            .getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> Labels.of(List.of("a")).label(1));
  }
}
