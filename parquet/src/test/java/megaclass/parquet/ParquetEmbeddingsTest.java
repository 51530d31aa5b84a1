// SPDX-License-Identifier: Apache-2.0
package megaclass.parquet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hardwood.InputFile;
import dev.hardwood.metadata.RowGroup;
import dev.hardwood.reader.ParquetFileReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.DatasetWriter;
import megaclass.data.ImageShape;
import megaclass.internal.AtomicFiles;
import megaclass.openset.EmbeddingFormat;
import megaclass.openset.EmbeddingSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What this module writes is read by a library that shares no code with the one that writes. */
class ParquetEmbeddingsTest {
  private static final int GROUP_ROWS = 100;

  @TempDir Path folder;

  @ParameterizedTest(name = "{0} examples, dim {1}")
  @CsvSource({"0, 3", "1, 1", "1, 512", "99, 3", "100, 3", "101, 3", "300, 16", "1234, 7"})
  void namesLabelsAndAllBitsOfEmbeddingsAreReadBack(int size, int dim) throws IOException {
    var groups =
        writeAndRead(size, dim, i -> i % 5 == 0 ? "zażółć 類" : "label " + i % 7, GROUP_ROWS);
    assertEquals(size, groups.stream().mapToLong(RowGroup::numRows).sum());
    assertEquals((size + GROUP_ROWS - 1) / GROUP_ROWS, groups.size());
    assertTrue(groups.stream().allMatch(g -> g.numRows() <= GROUP_ROWS));
  }

  @Test
  void labelsMayBeTooManyForADictionary() throws IOException {
    writeAndRead(40_000, 2, i -> "a label that occurs but once, " + i, 1 << 20);
  }

  /** The row groups of the file. */
  private List<RowGroup> writeAndRead(int size, int dim, IntFunction<String> label, int groupRows)
      throws IOException {
    var file = folder.resolve("e.parquet");
    try (var data = data(size, label);
        var engine = Engine.start("scalar", 1);
        var embeddings = EmbeddingSet.of(rows(size, dim), classIds(data), engine)) {
      AtomicFiles.write(
          file, channel -> ParquetEmbeddings.write(embeddings, data, channel, groupRows));
      try (var reader = ParquetFileReader.open(InputFile.of(file));
          var row = reader.rowReader()) {
        for (int i = 0; i < size; i++) {
          assertTrue(row.hasNext(), "only " + i + " rows");
          row.next();
          assertEquals("folder/%d.png".formatted(i), row.getString("example"));
          assertEquals(label.apply(i), row.getString("label"));
          var floats = row.getList("embedding").floats();
          assertEquals(dim, floats.size());
          var read = new float[dim];
          for (int j = 0; j < dim; j++) {
            read[j] = floats.get(j);
          }
          assertArrayEquals(embeddings.embedding(i), read, "embedding " + i);
        }
        assertFalse(row.hasNext(), "more than " + size + " rows");
        return reader.getFileMetaData().rowGroups();
      }
    }
  }

  private Dataset data(int size, IntFunction<String> label) {
    var file = folder.resolve("d.mcd");
    try (var writer = DatasetWriter.images(file, new ImageShape(1, 1, 1))) {
      for (int i = 0; i < size; i++) {
        writer.add(new byte[] {(byte) i}, "folder/%d.png".formatted(i), label.apply(i));
      }
      writer.finish();
    }
    return Dataset.open(file);
  }

  private static int[] classIds(Dataset data) {
    return IntStream.range(0, (int) data.numExamples()).map(i -> data.target(i, 0)).toArray();
  }

  private static float[][] rows(int size, int dim) {
    var random = new Random(42);
    return Stream.generate(
            () -> {
              var row = new float[dim];
              for (int j = 0; j < dim; j++) {
                row[j] = (float) random.nextGaussian();
              }
              return row;
            })
        .limit(size)
        .toArray(float[][]::new);
  }

  @Test
  void theColumnsAreWhatOthersExpect() throws IOException {
    writeAndRead(1, 2, _ -> "label", GROUP_ROWS);
    try (var reader = ParquetFileReader.open(InputFile.of(folder.resolve("e.parquet")))) {
      var elements =
          reader.getFileMetaData().schema().stream()
              .map(
                  e -> e.name() + " " + e.repetitionType() + " " + e.type() + " " + e.logicalType())
              .toList();
      assertEquals(
          List.of(
              "embeddings null null null",
              "example REQUIRED BYTE_ARRAY STRING",
              "label REQUIRED BYTE_ARRAY STRING",
              "embedding REQUIRED null LIST",
              "list REPEATED null null",
              "element REQUIRED FLOAT null"),
          elements);
    }
  }

  @Test
  void rowGroupsAreBoundedInBytesAndInRows() {
    assertEquals(1 << 18, ParquetEmbeddings.groupRows(1));
    assertEquals(16_384, ParquetEmbeddings.groupRows(512));
    assertEquals(1, ParquetEmbeddings.groupRows(1 << 28));
  }

  @Test
  void aFileThatCannotBeWrittenIsNotThere() throws IOException {
    var file = folder.resolve("e.parquet");
    try (var data = data(300, i -> "label " + i);
        var engine = Engine.start("scalar", 1);
        var embeddings = EmbeddingSet.of(rows(300, 4), classIds(data), engine)) {
      var e =
          assertThrows(
              UncheckedIOException.class,
              () ->
                  AtomicFiles.write(
                      file,
                      channel -> {
                        channel.close();
                        ParquetEmbeddings.write(embeddings, data, channel, GROUP_ROWS);
                      }));
      assertTrue(String.valueOf(e.getMessage()).startsWith("cannot write " + file), e.toString());
    }
    try (var files = Files.list(folder)) {
      assertEquals(List.of(folder.resolve("d.mcd")), files.toList());
    }
  }

  @Test
  void theChannelStaysOpenAndTheServiceIsFound() throws IOException {
    var format = ServiceLoader.load(EmbeddingFormat.class).findFirst().orElseThrow();
    assertEquals(".parquet", format.suffix());
    try (var data = data(3, _ -> "label");
        var engine = Engine.start("scalar", 1);
        var embeddings = EmbeddingSet.of(rows(3, 4), classIds(data), engine);
        var channel =
            FileChannel.open(
                folder.resolve("e.parquet"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      format.write(embeddings, data, channel);
      assertTrue(channel.isOpen());
      assertTrue(channel.size() > 0);
    }
  }
}
