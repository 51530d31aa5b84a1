// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The real cuBLAS, as far as it goes without a GPU, where it is found: {@code
 * -Dmegaclass.cuda.path=FOLDER} names its folder, for example that of the Python package
 * nvidia-cublas.
 */
class CublasTest {
  @Test
  void itHasTheFunctionsThatGemmCallsAndNamesItsErrors() {
    var found = CudaLibraries.Search.ofThisMachine().cublas(Integer.MAX_VALUE);
    if (found.isEmpty()) {
      System.out.println("cuBLAS was not found: its functions were not looked up");
    }
    assumeTrue(found.isPresent(), "cuBLAS was not found");
    for (String name :
        List.of(
            "cublasCreate_v2",
            "cublasDestroy_v2",
            "cublasSetStream_v2",
            "cublasSetWorkspace_v2",
            "cublasGemmEx")) {
      assertTrue(found.get().has(name), name);
    }
    assertEquals("CUBLAS_STATUS_INVALID_VALUE", found.get().text("cublasGetStatusName", 7));
    assertTrue(!found.get().text("cublasGetStatusString", 7).contains("7"));
  }
}
