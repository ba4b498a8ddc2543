package org.sparkqlora.tensor.cuda;

import com.sun.jna.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/** A library of CUDA's that a jar built with {@code -Pgpu} holds, and that JavaCPP's cache takes in. */
enum BundledLibrary {
    /** NVRTC, behind what it needs. */
    NVRTC_13("libnvrtc-builtins.so.13.1", "libnvrtc.so.13"),
    NVRTC_12("libnvrtc-builtins.so.12.9", "libnvrtc.so.12");

    private final List<String> files;

    BundledLibrary(String... files) {
        this.files = List.of(files);
    }

    /** Where those lie that this jar holds, unpacked. */
    static List<String> paths() {
        return Stream.of(values()).flatMap(library -> library.path().stream()).toList();
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
