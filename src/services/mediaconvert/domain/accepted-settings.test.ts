import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type JobSettings, JobSettings$ } from '@aws-sdk/client-mediaconvert';
import { NormalizedSchema } from '@smithy/core/schema';
import type { Problem } from '../errors.ts';
import { jobSettingsRule } from './job-settings-rules.ts';

describe('every member of the model', () => {
  /** The way to every value below a schema; lists and maps have one item. */
  function* valuesOf(schema: NormalizedSchema, depth = 0): Generator<readonly (string | 0)[]> {
    assert.ok(depth < 20, 'the settings are a tree');
    if (schema.isListSchema()) for (const path of valuesOf(schema.getValueSchema(), depth)) yield [0, ...path];
    else if (schema.isMapSchema()) for (const path of valuesOf(schema.getValueSchema(), depth)) yield ['x', ...path];
    else if (schema.isStructSchema()) {
      for (const [name, member] of schema.structIterator()) {
        for (const path of valuesOf(member, depth + 1)) yield [name, ...path];
      }
    } else yield [];
  }

  function valueAt(path: readonly (string | 0)[], leaf: unknown): unknown {
    const [first, ...rest] = path;
    if (first === undefined) return leaf;
    return first === 0 ? [valueAt(rest, leaf)] : { [first]: valueAt(rest, leaf) };
  }

  test('is carried out or refused: the ones of which any value is taken are these', () => {
    const accepted = new Set<string>();
    let count = 0;
    for (const path of valuesOf(NormalizedSchema.of(JobSettings$))) {
      count += 1;
      const names = path.map((name) => (name === 0 ? '0' : name.charAt(0).toLowerCase() + name.slice(1)));
      const pointer = `/${names.join('/')}`;
      const problems: Problem[] = [];
      jobSettingsRule(valueAt(path, 'unheard of') as JobSettings, '', problems);
      const isRefused = problems.some(
        (problem) =>
          pointer === problem.pointer ||
          (problem.text === 'This setting is not supported' && pointer.startsWith(`${problem.pointer}/`)),
      );
      if (!isRefused)
        accepted.add(
          names
            .filter((name) => name !== '0')
            .slice(-2)
            .join('/'),
        );
    }
    assert.ok(count > 1000, `${count} values`);
    // Whoever adds a name here says with it that every value of the setting is carried out, or has no effect.
    const wanted = Object.entries(ACCEPTED).flatMap(([key, names]) => names.split(' ').map((name) => `${key}/${name}`));
    assert.deepEqual([...accepted].sort(), wanted.sort());
  });
});

/** By the structure; `x` is an audio selector. */
const ACCEPTED: Readonly<Record<string, string>> = {
  imageBasedTrickPlaySettings: 'thumbnailHeight thumbnailWidth thumbnailInterval tileHeight tileWidth',
  additionalManifests: 'manifestNameModifier selectedOutputs',
  av1Settings:
    'adaptiveQuantization bitDepth framerateControl framerateDenominator framerateNumerator gopSize maxBitrate rateControlMode spatialAdaptiveQuantization',
  aacSettings: 'audioDescriptionBroadcasterMix rateControlMode rawFormat specification',
  audioNormalizationSettings:
    'algorithm algorithmControl correctionGateLevel loudnessLogging peakCalculation targetLkfs truePeakLimiterThreshold',
  ac3Settings: 'bitstreamMode dialnorm lfeFilter',
  accessControl: 'cannedAcl',
  aiffSettings: 'channels sampleRate',
  audioDescriptions: 'audioTypeControl customLanguageCode languageCode languageCodeControl streamName',
  burninDestinationSettings:
    'alignment applyFontColor backgroundColor backgroundOpacity fontColor fontOpacity fontSize outlineColor outlineSize removeRubyReserveAttributes shadowColor shadowOpacity shadowXOffset shadowYOffset stylePassthrough teletextSpacing xPosition yPosition',
  captionDescriptions: 'customLanguageCode languageCode languageDescription',
  captionLanguageMappings: 'captionChannel customLanguageCode languageCode languageDescription',
  embeddedDestinationSettings: 'destination608ChannelNumber',
  embeddedSourceSettings: 'source608ChannelNumber terminateCaptions',
  fileSourceSettings: 'byteRateLimit convertPaintToPop timeDelta timeDeltaUnits',
  framerate: 'framerateDenominator framerateNumerator',
  imscDestinationSettings: 'accessibility stylePassthrough',
  sccDestinationSettings: 'framerate',
  srtDestinationSettings: 'stylePassthrough',
  ttmlDestinationSettings:
    'backgroundColor backgroundOpacity fontColor fontOpacity fontSize fontStyle fontWeight stylePassthrough textDecoration',
  webvttDestinationSettings: 'accessibility',
  cmafGroupSettings:
    'baseUrl clientCache codecSpecification dashManifestStyle fragmentLength imageBasedTrickPlay manifestCompression manifestDurationFormat minBufferTime minFinalSegmentLength mpdManifestBandwidthType mpdProfile segmentControl segmentLength segmentLengthControl streamInfResolution targetDurationCompatibilityMode writeDashManifest writeHlsManifest writeSegmentTimelineInRepresentation',
  cmfcSettings:
    'audioDuration audioGroupId audioRenditionSets audioTrackType descriptiveVideoServiceFlag iFrameOnlyManifest manifestMetadataSignaling timedMetadata timedMetadataBoxVersion',
  dashIsoGroupSettings:
    'audioChannelConfigSchemeIdUri baseUrl dashManifestStyle fragmentLength hbbtvCompliance imageBasedTrickPlay minBufferTime minFinalSegmentLength mpdManifestBandwidthType mpdProfile segmentControl segmentLength segmentLengthControl writeSegmentTimelineInRepresentation',
  deinterlacer: 'algorithm control mode',
  filterSettings: 'strength',
  spatialFilterSettings: 'postFilterSharpenStrength speed strength',
  temporalFilterSettings: 'aggressiveMode postTemporalSharpening postTemporalSharpeningStrength speed strength',
  decryptionSettings: 'decryptionMode initializationVector kmsKeyRegion',
  encryption:
    'constantInitializationVector encryptionMethod encryptionType initializationVectorInManifest kmsEncryptionContext kmsKeyArn offlineEncrypted playbackDeviceCompatibility type',
  encryptionContractConfiguration: 'spekeAudioPreset spekeVideoPreset',
  frameCaptureSettings: 'framerateDenominator framerateNumerator maxCaptures quality',
  h264Settings:
    'adaptiveQuantization bitrate codecLevel codecProfile dynamicSubGop entropyEncoding fieldEncoding flickerAdaptiveQuantization framerateControl framerateDenominator framerateNumerator gopBReference gopClosedCadence gopSize gopSizeUnits hrdBufferInitialFillPercentage hrdBufferSize interlaceMode maxBitrate minIInterval numberBFramesBetweenReferenceFrames numberReferenceFrames parControl parDenominator parNumerator qualityTuningLevel rateControlMode scanTypeConversionMode sceneChangeDetect slices spatialAdaptiveQuantization temporalAdaptiveQuantization writeMp4PackagingType',
  h265Settings:
    'adaptiveQuantization alternateTransferFunctionSei bitrate codecLevel codecProfile deblocking dynamicSubGop flickerAdaptiveQuantization framerateControl framerateDenominator framerateNumerator gopBReference gopClosedCadence gopSize gopSizeUnits hrdBufferInitialFillPercentage hrdBufferSize maxBitrate minIInterval mvTemporalPredictor numberBFramesBetweenReferenceFrames numberReferenceFrames parControl parDenominator parNumerator qualityTuningLevel rateControlMode sampleAdaptiveOffsetFilterMode scanTypeConversionMode sceneChangeDetect slices spatialAdaptiveQuantization temporalAdaptiveQuantization temporalIds treeBlockSize writeMp4PackagingType',
  hlsGroupSettings:
    'audioOnlyHeader baseUrl captionLanguageSetting captionSegmentLengthControl clientCache codecSpecification directoryStructure imageBasedTrickPlay manifestCompression manifestDurationFormat minFinalSegmentLength minSegmentLength outputSelection programDateTime programDateTimePeriod progressiveWriteHlsManifest segmentControl segmentLength segmentLengthControl streamInfResolution targetDurationCompatibilityMode timedMetadataId3Frame timestampDeltaMilliseconds',
  hlsSettings:
    'audioGroupId audioOnlyContainer audioRenditionSets audioTrackType descriptiveVideoServiceFlag iFrameOnlyManifest segmentModifier',
  inputClippings: 'endTimecode startTimecode',
  colorConversion3DLUTSettings: 'inputMasteringLuminance outputMasteringLuminance',
  id3Insertions: 'timecode',
  inputs:
    'deblockFilter denoiseFilter filterEnable filterStrength inputScanType programNumber psiControl timecodeSource timecodeStart',
  clipLimits: 'maximumYUV minimumYUV',
  colorCorrector:
    'brightness contrast hdrToSdrToneMapper hue maxLuminance sampleRangeConversion saturation sdrReferenceWhiteLevel',
  hdr10Metadata:
    'bluePrimaryX bluePrimaryY greenPrimaryX greenPrimaryY maxContentLightLevel maxFrameAverageLightLevel maxLuminance minLuminance redPrimaryX redPrimaryY whitePointX whitePointY',
  imageInserter: 'sdrReferenceWhiteLevel',
  motionImageInserter: 'playback startTime',
  offset: 'imageX imageY',
  timecodeBurnin: 'position prefix',
  insertableImages: 'duration fadeIn fadeOut height imageX imageY layer opacity startTime width',
  m3u8Settings:
    'audioDuration audioFramesPerPes audioPids dataPTSControl patInterval pcrControl pmtPid privateMetadataPid programNumber ptsOffset ptsOffsetMode scte35Pid timedMetadata timedMetadataPid transportStreamId videoPid',
  movSettings: 'audioDuration clapAtom cslgAtom mpeg2FourCCControl',
  mp4Settings: 'audioDuration cslgAtom cttsVersion freeSpaceBox moovPlacement',
  eac3Settings:
    'attenuationControl bitstreamMode codingMode dcFilter dialnorm lfeControl lfeFilter stereoDownmix surroundExMode surroundMode',
  flacSettings: 'channels sampleRate',
  mp2Settings: 'audioDescriptionMix channels',
  mp3Settings: 'bitrate channels rateControlMode',
  opusSettings: 'channels',
  outputChannels: 'inputChannels inputChannelsFineTune',
  remixSettings: 'channelsIn channelsOut',
  vorbisSettings: 'channels vbrQuality',
  wavSettings: 'channels format sampleRate',
  msSmoothGroupSettings: 'audioDeduplication fragmentLength fragmentLengthControl manifestEncoding',
  mpdSettings:
    'accessibilityCaptionHints audioDuration captionContainerType manifestMetadataSignaling timedMetadata timedMetadataBoxVersion',
  outputGroups: 'customName name',
  outputs: 'extension nameModifier',
  passthroughSettings: 'frameControl',
  qvbrSettings: 'qvbrQualityLevel qvbrQualityLevelFineTune',
  spekeKeyProvider: 'dashSignaledSystemIds hlsSignaledSystemIds resourceId systemIds',
  staticKeyProvider: 'keyFormat keyFormatVersions url',
  timecodeConfig: 'source start timestampOffset',
  videoGenerator: 'channels duration framerateDenominator framerateNumerator sampleRate',
  videoDescription: 'antiAlias chromaPositionMode colorMetadata dropFrameTimecode sharpness timecodeTrack',
  videoSelector: 'alphaBehavior colorSpaceUsage maxLuminance padVideo pid programNumber rotate sampleRange',
  x: 'customLanguageCode defaultSelection languageCode pids streams tracks',
  avcIntraSettings: 'framerateControl framerateDenominator framerateNumerator interlaceMode scanTypeConversionMode',
  bandwidthReductionFilter: 'sharpening strength',
  f4vSettings: 'moovPlacement',
  gifSettings: 'framerateControl framerateDenominator framerateNumerator',
  m2tsSettings:
    'audioBufferModel audioDuration audioFramesPerPes audioPids bitrate bufferModel dataPTSControl dvbSubPids dvbTeletextPid ebpAudioInterval ebpPlacement forceTsVideoEbpOrder fragmentTime maxPcrInterval minEbpInterval nullPacketBitrate patInterval pcrControl pmtPid privateMetadataPid programNumber ptsOffset ptsOffsetMode rateMode scte35Pid segmentationStyle segmentationTime timedMetadataPid transportStreamId videoPid',
  mpeg2Settings:
    'bitrate codecLevel codecProfile framerateControl framerateDenominator framerateNumerator gopSize gopSizeUnits hrdBufferInitialFillPercentage hrdBufferSize interlaceMode intraDcPrecision maxBitrate minIInterval numberBFramesBetweenReferenceFrames parControl parDenominator parNumerator rateControlMode scanTypeConversionMode sceneChangeDetect spatialAdaptiveQuantization',
  proresSettings:
    'chromaSampling codecProfile framerateControl framerateDenominator framerateNumerator interlaceMode parControl parDenominator parNumerator scanTypeConversionMode',
  uncompressedSettings:
    'fourcc framerateControl framerateDenominator framerateNumerator interlaceMode scanTypeConversionMode',
  vc3Settings: 'framerateControl framerateDenominator framerateNumerator interlaceMode scanTypeConversionMode vc3Class',
  vp8Settings:
    'bitrate framerateControl framerateDenominator framerateNumerator gopSize hrdBufferSize maxBitrate parControl parDenominator parNumerator qualityTuningLevel rateControlMode',
  vp9Settings:
    'bitrate framerateControl framerateDenominator framerateNumerator gopSize hrdBufferSize maxBitrate parControl parDenominator parNumerator qualityTuningLevel rateControlMode',
  xavc4kProfileSettings:
    'bitrateClass codecProfile flickerAdaptiveQuantization gopBReference gopClosedCadence hrdBufferSize slices',
  xavcHdIntraCbgProfileSettings: 'xavcClass',
  xavcHdProfileSettings:
    'bitrateClass flickerAdaptiveQuantization gopBReference gopClosedCadence hrdBufferSize interlaceMode slices',
  xavcSettings:
    'entropyEncoding framerateControl framerateDenominator framerateNumerator spatialAdaptiveQuantization temporalAdaptiveQuantization',
  abrSettings: 'maxAbrBitrate maxQualityLevel maxRenditions minAbrBitrate',
  allowedRenditions: 'height required width',
  forceIncludeRenditions: 'height width',
  minBottomRenditionSize: 'height width',
  minTopRenditionSize: 'height width',
  rules: 'type',
};
