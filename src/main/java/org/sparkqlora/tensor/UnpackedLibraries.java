package org.sparkqlora.tensor;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.storage.LocalFiles;

/**
 * The libraries that JavaCPP has unpacked on this host, each in a folder named as its jar. JavaCPP looks at the length of a library when it comes to it, but
 * one that it loads brings in those that it needs before: where a process was killed while it unpacked them, all later ones would abort.
 *
 * @param folder of all
 */
record UnpackedLibraries(Path folder) {
    /** Removes those that are not as long as in the jar. No other process may be unpacking any. */
    void removeCutOff() throws IOException {
        for (Path library : all()) {
            if (isCutOff(library)) {
                LocalFiles.remove(library);
            }
        }
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .toList();
        }
    }

    private boolean isCutOff(Path library) throws IOException {
        Path inFolder = folder.relativize(library);
        if (inFolder.getNameCount() == 1) {
            return false; // a lock
        }

        URL inJar = torch.class.getResource("/" + inFolder.subpath(1, inFolder.getNameCount()));
        return inJar != null && Files.size(library) < inJar.openConnection().getContentLengthLong();
    }
}
