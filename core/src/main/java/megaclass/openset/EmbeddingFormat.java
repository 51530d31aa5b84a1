// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.io.IOException;
import java.nio.channels.FileChannel;
import megaclass.data.Dataset;

/**
 * A file format for embeddings that needs a library to write. Implementations are found by {@link
 * java.util.ServiceLoader}; making one must cost nothing and load no library.
 *
 * <p>Stateless and thread-safe.
 */
public interface EmbeddingFormat {
  /** What the names of such files end in, in lower case, as ".parquet". */
  String suffix();

  /**
   * Writes embeddings with the names and labels of their examples. What this takes of memory does
   * not grow with their number.
   *
   * @param embeddings (examples, dim), those of the examples of {@code data}, in their order
   * @param data where the names and labels come from
   * @param channel stands at 0 of an empty file, and stays open
   */
  void write(EmbeddingSet embeddings, Dataset data, FileChannel channel) throws IOException;
}
