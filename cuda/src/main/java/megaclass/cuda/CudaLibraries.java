// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The shared libraries of CUDA: the driver, cuBLAS and, where it is installed, NVRTC, which
 * compiles kernels. They are looked for in the folders of the system property {@link #PATH}, then
 * where the loader of the system looks, then in the usual folders; in each place version 13 comes
 * before 12, and none is newer than the driver. Thread-safe.
 *
 * @param nvrtc null when it is not installed
 */
record CudaLibraries(
    NativeFunctions driver, NativeFunctions cublas, @Nullable NativeFunctions nvrtc) {
  /** System property: folders with the libraries of CUDA, separated as in a class path. */
  static final String PATH = "megaclass.cuda.path";

  /** The major versions whose functions and constants we know, best first. */
  private static final List<Integer> MAJOR_VERSIONS = List.of(13, 12);

  /**
   * Finds the libraries on this machine.
   *
   * @throws CudaException when driver or cuBLAS are not there, in a sentence that says what to do
   */
  static CudaLibraries find() {
    return Search.ofThisMachine().libraries();
  }

  /**
   * Finds NCCL, which nobody needs for one device.
   *
   * @throws CudaException when it is not there, in a sentence that says what to do
   */
  static NativeFunctions findNccl() {
    return Search.ofThisMachine().nccl();
  }

  /** Where the installers of CUDA, the packages of Python and Conda put libraries. */
  static List<Path> usualFolders(Map<String, String> environment) {
    String python = "lib/python3*/*-packages/nvidia/*/lib";
    var folders = new ArrayList<Path>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX", "HOME")) {
      String home = environment.getOrDefault(variable, "");
      if (!home.isEmpty()) {
        for (String below : List.of("lib", python, ".local/" + python)) {
          folders.addAll(matching(Path.of(home), below));
        }
      }
    }
    for (String below :
        List.of(
            "usr/local/cuda/lib64",
            "usr/local/cuda-1*/lib64",
            "usr/local/" + python,
            "usr/" + python,
            "opt/conda/lib",
            "opt/conda/" + python)) {
      folders.addAll(matching(Path.of("/"), below));
    }
    return folders;
  }

  /** Files and folders below {@code root} whose names match a pattern, segment by segment. */
  private static List<Path> matching(Path root, String pattern) {
    var found = List.of(root);
    for (String segment : pattern.split("/")) {
      found = found.stream().flatMap(folder -> children(folder, segment).stream()).toList();
    }
    return found;
  }

  /** Children of a folder, in descending order: of several versions the newest comes first. */
  private static List<Path> children(Path folder, String pattern) {
    if (!Files.isReadable(folder) || !Files.isDirectory(folder)) {
      return List.of();
    }
    var children = new ArrayList<Path>();
    try (var matches = Files.newDirectoryStream(folder, pattern)) {
      matches.forEach(children::add);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder, e);
    }
    return children.stream().sorted((a, b) -> b.compareTo(a)).toList();
  }

  /**
   * A search for the libraries.
   *
   * @param given folders that come before those of the loader
   * @param usual folders that come after them
   */
  record Search(List<Path> given, List<Path> usual) {
    static Search ofThisMachine() {
      var given =
          Stream.of(System.getProperty(PATH, "").split(File.pathSeparator))
              .filter(folder -> !folder.isEmpty())
              .map(Path::of)
              .toList();
      return new Search(given, usualFolders(System.getenv()));
    }

    CudaLibraries libraries() {
      var driver =
          find(List.of("libcuda.so.1"))
              .orElseThrow(
                  () ->
                      new CudaException(
                          "the NVIDIA driver (libcuda.so.1) was not found; the cuda backend needs"
                              + " an NVIDIA GPU and its driver. If they are there, let -D"
                              + PATH
                              + "=FOLDER name the folder of libcuda.so.1"));
      int newest = new CudaDriver(driver).version() / 1000;
      var cublas =
          cublas(newest)
              .orElseThrow(
                  () ->
                      new CudaException(
                          "cuBLAS was not found: none of %s. Install CUDA or the Python package"
                                  .formatted(versions("libcublas.so.", newest))
                              + " nvidia-cublas, or let -D%s=FOLDER name the folder of the library"
                                  .formatted(PATH)));
      return new CudaLibraries(driver, cublas, nvrtc(newest).orElse(null));
    }

    /** cuBLAS alone, for a driver for CUDA {@code newest}. */
    Optional<NativeFunctions> cublas(int newest) {
      return find(versions("libcublas.so.", newest));
    }

    /** NVRTC alone, for a driver for CUDA {@code newest}; it needs no driver itself. */
    Optional<NativeFunctions> nvrtc(int newest) {
      return find(versions("libnvrtc.so.", newest));
    }

    /** NCCL, of any version 2. */
    NativeFunctions nccl() {
      return find(List.of("libnccl.so.2"))
          .orElseThrow(
              () ->
                  new CudaException(
                      "NCCL (libnccl.so.2) was not found, which several GPUs need to share class"
                          + " weights; install it, as with the Python package nvidia-nccl-cu13,"
                          + " let -D%s=FOLDER name its folder, or take device.count 1"
                              .formatted(PATH)));
    }

    /** The names of a library that work with a driver for CUDA {@code newest}. */
    static List<String> versions(String name, int newest) {
      return MAJOR_VERSIONS.stream().filter(v -> v <= newest).map(v -> name + v).toList();
    }

    private Optional<NativeFunctions> find(List<String> names) {
      return firstOf(given, names)
          .or(() -> names.stream().flatMap(name -> throughLoader(name).stream()).findFirst())
          .or(() -> firstOf(usual, names))
          .map(NativeFunctions::new);
    }

    private static Optional<SymbolLookup> firstOf(List<Path> folders, List<String> names) {
      return folders.stream()
          .flatMap(folder -> names.stream().map(folder::resolve))
          .filter(Files::isRegularFile)
          .findFirst()
          .map(Search::loadWithCompanions);
    }

    /**
     * cuBLAS needs libcublasLt, and NVRTC loads libnvrtc-builtins by name; the loader does not know
     * the folder that we found them in, but takes what is loaded already.
     */
    private static SymbolLookup loadWithCompanions(Path library) {
      for (String companion : List.of("Lt.so.", "-builtins.so.")) {
        String pattern = library.getFileName().toString().replace(".so.", companion) + "*";
        children(library.resolveSibling("."), pattern).forEach(Search::load);
      }
      return load(library);
    }

    private static SymbolLookup load(Path library) {
      try {
        return SymbolLookup.libraryLookup(library.toAbsolutePath(), Arena.global());
      } catch (IllegalArgumentException e) {
        throw new CudaException(
            "%s cannot be loaded; `ldd %s` names the libraries that it needs and that are missing"
                .formatted(library, library));
      }
    }

    private static Optional<SymbolLookup> throughLoader(String name) {
      try {
        return Optional.of(SymbolLookup.libraryLookup(name, Arena.global()));
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }
}
