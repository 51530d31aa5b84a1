// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.nio.file.Path;
import megaclass.data.Conversion;
import megaclass.formats.ImageSource;

/** Hears what is done to get at data, before each step that takes a while. */
public interface PreparationListener {
  /** A Maven artifact is being fetched. */
  void fetching(String artifact);

  /** A source is being read and written to {@code .mcd} files. */
  void converting(String source, Path target);

  /** The files were written. */
  void converted(Conversion.Result result, double seconds);

  /** Images that could not be read were left out. */
  void skipped(ImageSource.Skipped images);

  /** The files are there already. */
  void foundConverted(Path train, Path test);
}
