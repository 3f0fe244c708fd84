<?php
// Written by the Pulumi program; a changed file rolls the pods. It keeps what pictures take within the pod: ImageMagick, which PHP's own
// limit does not bound, was measured at 481 MiB for the smaller sizes of one picture of 24 megapixels, and at five at a time so each.
//
// One request of a pod at a time is at work on a picture. A JPEG is read no larger than its largest size needs, and what would take more
// than PICTURE_MEMORY all the same is refused before anything of it is kept.
require_once ABSPATH . WPINC . '/class-wp-image-editor.php';
require_once ABSPATH . WPINC . '/class-wp-image-editor-gd.php';
require_once ABSPATH . WPINC . '/class-wp-image-editor-imagick.php';

// What ImageMagick may take for pixels, in bytes; the container's environment tells it the same.
const PICTURE_MEMORY = {{.PictureMemoryBytes}};
// How long a request waits for its turn, in seconds. What is left of its time is for the picture itself.
const PICTURE_PATIENCE = {{.PicturePatienceSeconds}};

// What a pixel takes, in bytes: in ImageMagick as read, half-way and made smaller; in GD likewise; and in the decoder of a
// progressive JPEG, which keeps the whole picture whatever size is wanted.
const IMAGICK_PIXEL = 24;
const GD_PIXEL = 6;
const PROGRESSIVE_PIXEL = 3;

// What GD reads as well. Of an animation it reads the first picture, the only one that WordPress uses, and ImageMagick all.
const GD_PICTURES = array( 'image/gif', 'image/png', 'image/webp', 'image/avif' );

// take_picture_turn returns when no other request of this pod is at work on a picture; the turn ends with the request. A browser that
// reads 503 after an upload asks for the sizes again by itself, up to four times.
function take_picture_turn() {
	static $turn = null;
	$turn ??= fopen( '/tmp/picture.lock', 'c' );
	$until = microtime( true ) + PICTURE_PATIENCE;
	while ( ! flock( $turn, LOCK_EX | LOCK_NB ) ) {
		if ( 'cli' !== PHP_SAPI && microtime( true ) > $until ) {
			wp_die( 'The server is busy with other pictures. Try again in a minute.', '', array( 'response' => 503 ) );
		}
		usleep( 100000 );
	}
}

// jpeg_eighths is how many eighths of its sides a JPEG is read at, so that none of the site's sizes has to be made larger.
function jpeg_eighths( $width, $height, $file ) {
	$threshold = (int) apply_filters( 'big_image_size_threshold', 2560, array( $width, $height ), $file, 0 );
	if ( ! $threshold ) {
		return 8;
	}
	$scale = $threshold / max( $width, $height );
	foreach ( wp_get_registered_image_subsizes() as $size ) {
		$scales = array_filter( array( $size['width'] / $width, $size['height'] / $height ) );
		if ( $scales ) {
			$scale = max( $scale, $size['crop'] ? max( $scales ) : min( $scales ) );
		}
	}
	return min( 8, (int) ceil( 8 * $scale ) );
}

// is_progressive_jpeg looks at the segments in front of a JPEG's data.
function is_progressive_jpeg( $file ) {
	$stream = fopen( $file, 'rb' );
	if ( ! $stream ) {
		return false;
	}
	fseek( $stream, 2 );
	while ( 4 === strlen( $head = (string) fread( $stream, 4 ) ) && "\xff" === $head[0] ) {
		$kind = ord( $head[1] );
		if ( $kind >= 0xc0 && $kind <= 0xcf && ! in_array( $kind, array( 0xc4, 0xc8, 0xcc ), true ) ) {
			return 0xc2 === $kind;
		}
		fseek( $stream, unpack( 'n', $head, 2 )[1] - 2, SEEK_CUR );
	}
	return false;
}

// picture_memory is what the smaller sizes of a picture take, in bytes; 0 where that is not known beforehand, and ImageMagick's own
// limits decide.
function picture_memory( $width, $height, $mime, $file ) {
	$pixels = $width * $height;
	if ( 'image/jpeg' === $mime ) {
		$read = $pixels * ( jpeg_eighths( $width, $height, $file ) / 8 ) ** 2;
		return $read * IMAGICK_PIXEL + ( is_progressive_jpeg( $file ) ? $pixels * PROGRESSIVE_PIXEL : 0 );
	}
	return in_array( $mime, GD_PICTURES, true ) ? $pixels * GD_PIXEL : 0;
}

// refuse_large_picture answers an upload with what is wrong and what to do.
function refuse_large_picture( $upload ) {
	$size = empty( $upload['error'] ) ? @getimagesize( $upload['tmp_name'] ) : false;
	if ( $size && picture_memory( $size[0], $size[1], $size['mime'], $upload['tmp_name'] ) > PICTURE_MEMORY ) {
		$upload['error'] = sprintf(
			'A picture of %d × %d pixels is more than this server can make smaller sizes of. Save it with 2560 pixels at the longer side%s, and upload that.',
			$size[0],
			$size[1],
			'image/jpeg' === $size['mime'] ? ' or not as a progressive JPEG' : ' or as a JPEG'
		);
	}
	return $upload;
}

class Bounded_Image_Editor_Imagick extends WP_Image_Editor_Imagick {
	public static function test( $args = array() ) {
		$mime = $args['mime_type'] ?? '';
		if ( ! parent::test( $args ) || ! in_array( $mime, GD_PICTURES, true ) ||
			! WP_Image_Editor_GD::test( $args ) || ! WP_Image_Editor_GD::supports_mime_type( $mime ) ) {
			return parent::test( $args );
		}
		$size = isset( $args['path'] ) ? @getimagesize( $args['path'] ) : false;
		return 'image/gif' !== $mime && ( ! $size || $size[0] * $size[1] * IMAGICK_PIXEL <= PICTURE_MEMORY );
	}

	public function load() {
		if ( $this->image instanceof Imagick ) {
			return true;
		}
		take_picture_turn();
		$size = is_file( $this->file ) ? @getimagesize( $this->file ) : false;
		if ( ! $size || 'image/jpeg' !== $size['mime'] ) {
			return parent::load();
		}
		try {
			$eighths = jpeg_eighths( $size[0], $size[1], $this->file );
			$this->image = new Imagick();
			// The decoder rounds down, so a pixel more than what is meant.
			$this->image->setOption( 'jpeg:size', sprintf( '%dx%d', ceil( $size[0] * $eighths / 8 ) + 1, ceil( $size[1] * $eighths / 8 ) + 1 ) );
			$this->image->readImage( 'jpeg:' . $this->file );
			$this->mime_type = 'image/jpeg';
		} catch ( Exception $problem ) {
			return new WP_Error( 'invalid_image', $problem->getMessage(), $this->file );
		}
		$updated = $this->update_size();
		return is_wp_error( $updated ) ? $updated : $this->set_quality();
	}
}

class Bounded_Image_Editor_GD extends WP_Image_Editor_GD {
	public function load() {
		if ( ! $this->image ) {
			take_picture_turn();
		}
		return parent::load();
	}
}

// bounded_image_editors puts the classes above in the place of WordPress's own, wherever a plugin may have moved those.
function bounded_image_editors( $editors ) {
	return str_replace(
		array( 'WP_Image_Editor_Imagick', 'WP_Image_Editor_GD' ),
		array( 'Bounded_Image_Editor_Imagick', 'Bounded_Image_Editor_GD' ),
		$editors
	);
}
