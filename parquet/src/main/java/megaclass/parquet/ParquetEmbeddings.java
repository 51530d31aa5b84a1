// SPDX-License-Identifier: Apache-2.0
package megaclass.parquet;

import java.io.IOException;
import java.nio.channels.FileChannel;
import megaclass.data.Dataset;
import megaclass.openset.EmbeddingFormat;
import megaclass.openset.EmbeddingSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Embeddings as a table of Parquet, a row an example: {@code example}, {@code label} and {@code
 * embedding}, a list of dim floats. A row group is written before the next is begun.
 *
 * <p>Not compressed: unit vectors hardly shrink, and each reader reads it without a codec. Labels
 * that recur are written once a row group.
 */
public final class ParquetEmbeddings implements EmbeddingFormat {
  /** What a row group holds of embeddings, at most; the heap holds one row group at a time. */
  private static final int GROUP_BYTES = 1 << 25;

  /** Rows of a row group whose embeddings are small: names and labels take room too. */
  private static final int MAX_GROUP_ROWS = 1 << 18;

  @Override
  public String suffix() {
    return ".parquet";
  }

  @Override
  public void write(EmbeddingSet embeddings, Dataset data, FileChannel channel) throws IOException {
    write(embeddings, data, channel, groupRows(embeddings.dim()));
  }

  /** Rows of a row group. */
  static int groupRows(int dim) {
    return Math.clamp(GROUP_BYTES / (4L * dim), 1, MAX_GROUP_ROWS);
  }

  static void write(EmbeddingSet embeddings, Dataset data, FileChannel channel, int groupRows)
      throws IOException {
    var rows = new Builder(new ChannelFile(channel), new EmbeddingRows(embeddings, data));
    try (var writer =
        rows.withConf(new PlainParquetConfiguration())
            .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
            .withDictionaryEncoding(EmbeddingRows.VALUES, false)
            .withDictionaryEncoding(EmbeddingRows.EXAMPLE, false)
            .withRowGroupRowCountLimit(groupRows)
            .build()) {
      for (int i = 0; i < embeddings.size(); i++) {
        writer.write(i);
      }
    }
  }

  private static final class Builder extends ParquetWriter.Builder<Integer, Builder> {
    private final EmbeddingRows rows;

    Builder(ChannelFile file, EmbeddingRows rows) {
      super(file);
      this.rows = rows;
    }

    @Override
    protected Builder self() {
      return this;
    }

    @Override
    protected WriteSupport<Integer> getWriteSupport(ParquetConfiguration configuration) {
      return rows;
    }

    @Override
    @SuppressWarnings("deprecation") // there is no Hadoop here that could ask
    protected WriteSupport<Integer> getWriteSupport(Configuration configuration) {
      return rows;
    }
  }
}
