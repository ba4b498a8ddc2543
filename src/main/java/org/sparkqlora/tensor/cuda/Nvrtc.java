package org.sparkqlora.tensor.cuda;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** CUDA's compiler, as a library: works without a GPU and without a driver. Safe for use by several threads. */
public final class Nvrtc implements KernelCompiler {
    /** Every operation one IEEE operation: nothing fused, nothing approximate, no denormal number flushed. */
    private static final List<String> IEEE =
            List.of("--fmad=false", "--prec-div=true", "--prec-sqrt=true", "--ftz=false", "-default-device");

    private static final int SUCCESS = 0;

    /** Of CUDA 13 and 12. */
    private static final List<String> NAMES = List.of("libnvrtc.so.13", "libnvrtc.so.12", "nvrtc");

    private final Api api;

    private Nvrtc(Api api) {
        this.api = api;
    }

    /** The library at {@code path}, or of a name that the system finds. */
    public static Nvrtc load(String path) {
        return new Nvrtc(Native.load(path, Api.class));
    }

    /** The library that came with this jar, or the first that the system finds. */
    static Nvrtc find() {
        List<String> names =
                Stream.concat(BundledLibrary.paths().stream(), NAMES.stream()).toList();
        return new Nvrtc(SharedLibrary.firstOf(names, Api.class)
                .orElseThrow(() -> new IllegalStateException(
                        "Cannot compile kernels for the GPU: none of %s can be loaded. Expected a jar built with -Pgpu, or CUDA 13 on the library path"
                                .formatted(String.join(", ", names)))));
    }

    @Override
    public String identity() {
        IntByReference major = new IntByReference();
        IntByReference minor = new IntByReference();
        int result = api.nvrtcVersion(major, minor);
        if (result != SUCCESS) {
            throw new IllegalStateException("Cannot ask NVRTC for its version: " + api.nvrtcGetErrorString(result));
        }

        return String.format(Locale.ROOT, "NVRTC %d.%d %s", major.getValue(), minor.getValue(), String.join(" ", IEEE));
    }

    @Override
    public byte[] cubin(KernelSource source, String architecture) {
        return compiled(source, architecture, api::nvrtcGetCUBINSize, api::nvrtcGetCUBIN);
    }

    /** The kernel as PTX text, to see which instructions the compiler chose. */
    public String ptx(KernelSource source, String architecture) {
        byte[] text = compiled(source, architecture, api::nvrtcGetPTXSize, api::nvrtcGetPTX);
        return new String(text, 0, text.length - 1, StandardCharsets.UTF_8);
    }

    private byte[] compiled(KernelSource source, String architecture, Size size, Content content) {
        PointerByReference created = new PointerByReference();
        require(api.nvrtcCreateProgram(created, source.text(), source.file(), 0, null, null), source);
        try {
            compile(source, architecture, created.getValue());
            LongByReference bytes = new LongByReference();
            require(size.of(created.getValue(), bytes), source);
            byte[] result = new byte[Math.toIntExact(bytes.getValue())];
            require(content.of(created.getValue(), result), source);
            return result;
        } finally {
            api.nvrtcDestroyProgram(created);
        }
    }

    private void compile(KernelSource source, String architecture, Pointer program) {
        String[] options = Stream.concat(Stream.of("--gpu-architecture=" + architecture), IEEE.stream())
                .toArray(String[]::new);
        int result = api.nvrtcCompileProgram(program, options.length, options);
        if (result != SUCCESS) {
            throw new IllegalStateException("Cannot compile %s for %s: %s%n%s"
                    .formatted(source.file(), architecture, api.nvrtcGetErrorString(result), log(program)));
        }
    }

    private String log(Pointer program) {
        LongByReference bytes = new LongByReference();
        byte[] text =
                api.nvrtcGetProgramLogSize(program, bytes) == SUCCESS ? new byte[(int) bytes.getValue()] : new byte[0];
        return text.length > 0 && api.nvrtcGetProgramLog(program, text) == SUCCESS
                ? new String(text, 0, text.length - 1, StandardCharsets.UTF_8)
                : "";
    }

    private void require(int result, KernelSource source) {
        if (result != SUCCESS) {
            throw new IllegalStateException(
                    "Cannot compile %s: %s".formatted(source.file(), api.nvrtcGetErrorString(result)));
        }
    }

    /** Asks how long a result is. */
    private interface Size {
        int of(Pointer program, LongByReference bytes);
    }

    /** Asks for a result. */
    private interface Content {
        int of(Pointer program, byte[] target);
    }

    /** {@code nvrtc.h}. Public because JNA makes a proxy of it. */
    public interface Api extends Library {
        int nvrtcVersion(IntByReference major, IntByReference minor);

        int nvrtcCreateProgram(
                PointerByReference program,
                String source,
                String name,
                int headers,
                @Nullable Pointer headerTexts,
                @Nullable Pointer headerNames);

        int nvrtcCompileProgram(Pointer program, int count, String[] options);

        int nvrtcGetCUBINSize(Pointer program, LongByReference bytes);

        int nvrtcGetCUBIN(Pointer program, byte[] target);

        int nvrtcGetPTXSize(Pointer program, LongByReference bytes);

        int nvrtcGetPTX(Pointer program, byte[] target);

        int nvrtcGetProgramLogSize(Pointer program, LongByReference bytes);

        int nvrtcGetProgramLog(Pointer program, byte[] target);

        int nvrtcDestroyProgram(PointerByReference program);

        String nvrtcGetErrorString(int result);
    }

    /** A library of CUDA's that a jar built with {@code -Pgpu} holds, and that JavaCPP's cache takes in. */
    private enum BundledLibrary {
        /** NVRTC, behind what it needs. */
        NVRTC_13("libnvrtc-builtins.so.13.1", "libnvrtc.so.13"),
        NVRTC_12("libnvrtc-builtins.so.12.9", "libnvrtc.so.12");

        private final List<String> files;

        BundledLibrary(String... files) {
            this.files = List.of(files);
        }

        /** The paths of those that this jar holds, unpacked. */
        static List<String> paths() {
            return Stream.of(values())
                    .flatMap(library -> library.path().stream())
                    .toList();
        }

        /** NVRTC asks the system for its builtins by name alone, which finds what the process has loaded. */
        private Optional<String> path() {
            List<String> paths =
                    files.stream().flatMap(file -> unpacked(file).stream()).toList();
            if (paths.size() < files.size()) {
                return Optional.empty();
            }

            int last = paths.size() - 1;
            paths.subList(0, last).forEach(NativeLibrary::getInstance);
            return Optional.of(paths.get(last));
        }

        private static Optional<String> unpacked(String name) {
            URL resource =
                    BundledLibrary.class.getResource("/org/bytedeco/cuda/%s/%s".formatted(Loader.getPlatform(), name));
            if (resource == null) {
                return Optional.empty();
            }

            try {
                File file = Loader.cacheResource(resource);
                return Optional.ofNullable(file).map(File::getPath);
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to unpack %s from this jar".formatted(name), e);
            }
        }
    }
}
